import Formats
import PoolsProtocol
import Testing

@testable import Pools

/// Keys of the file of resources that Boskos does not have.
@Suite struct TypePolicyTests {
  private func load(_ keys: String, more: String = "") throws -> PoolsConfiguration {
    try PoolsConfiguration.load(Array("resources: [{type: t, names: [a], \(keys)}]\n\(more)".utf8))
  }

  @Test("keys of our own are read, and where there are none nothing is wanted")
  func reads() throws {
    #expect(try load("state: dirty").policies == ["t": TypePolicy()])
    let keys = """
      reap-after: {busy: 2h, cleaning: keep, "*": 1h}, alert-below: 2, alert-waiting: 10m, janitor: clean.sh,
      mason: {command: [build, --fast], arguments: [x], timeout: 1h, heartbeat: 10s, quarantine-after: 3,
      quarantine-state: aside}
      """
    let policy = try #require(try load(keys).policies["t"])
    #expect(policy.alertBelow == 2 && policy.alertWaiting == .seconds(600))
    #expect(policy.janitor == ServiceProgram(command: ["clean.sh"]))
    #expect(
      policy.mason
        == ServiceProgram(
          command: ["build", "--fast", "x"], timeout: .seconds(3600), heartbeat: .seconds(10), quarantineAfter: 3,
          quarantineState: "aside"))
    let reaping = try #require(policy.reaping)
    let expiries: [String: Duration?] = [
      "busy": .seconds(7200), "cleaning": nil, "leased": .seconds(3600), "testing": .seconds(3600), "keep": nil,
    ]
    for (state, expiry) in expiries { #expect(reaping.expiry(state) == expiry, "\(state)") }
    #expect(reaping.states(among: ["testing", "keep", "busy"]).map(\.state) == ["busy", "testing"])
  }

  @Test("an errand of a deployment cleans, and one builds; builder and mason mean the same")
  func errands() throws {
    let keys = """
      janitor: {deployment: accounts, errand: clean, arguments: [--all, 1], timeout: 20m, quarantine-after: 3},
      builder: {deployment: clusters, errand: build}
      """
    let policy = try #require(try load(keys).policies["t"])
    #expect(
      policy.janitor
        == ServiceProgram(
          errand: ServiceErrand(deployment: "accounts", errand: "clean", arguments: ["--all", "1"]),
          timeout: .seconds(1200), quarantineAfter: 3))
    let builder = ServiceProgram(errand: ServiceErrand(deployment: "clusters", errand: "build"))
    #expect(policy.mason == builder)
    #expect(try load("mason: {deployment: clusters, errand: build}").policies["t"]?.mason == builder)
    #expect(try load("builder: build.sh").policies["t"]?.mason == ServiceProgram(command: ["build.sh"]))
    #expect(try load("builder: null, janitor: null").policies["t"] == TypePolicy())
  }

  @Test("where nobody runs errands, a type that names one is refused")
  func noErrands() throws {
    try load("janitor: clean.sh, builder: {command: x}").requireNoErrands()
    for key in ["janitor", "builder"] {
      let configuration = try load("\(key): {deployment: accounts, errand: clean}")
      let error = #expect(throws: DroverError.self) { try configuration.requireNoErrands() }
      #expect(
        error?.message.hasPrefix(".0.\(key): type t wants the errand 'clean' of deployment 'accounts', and this")
          == true)
    }
  }

  @Test("a time alone is for busy, cleaning and leased, and keep alone for none")
  func shortReaping() throws {
    let time = try #require(try load("reap-after: 10m").policies["t"]?.reaping)
    #expect(
      ["busy", "cleaning", "leased", "free", "keep"].map { time.expiry($0) != nil } == [true, true, true, false, false])
    let keep = try #require(try load("reap-after: keep").policies["t"]?.reaping)
    #expect(keep.expiry("busy") == nil)
  }

  @Test("of several entries of a type the later one counts, key by key")
  func overlay() throws {
    let text = """
      resources:
      - {type: t, names: [a], alert-below: 1, janitor: one}
      - {type: t, names: [b], alert-below: 3}
      """
    let policy = try PoolsConfiguration.load(Array(text.utf8)).policies["t"]
    #expect(policy?.alertBelow == 3 && policy?.janitor?.command == ["one"])
  }

  @Test(
    "faults are named with their place",
    arguments: [
      ("reap-after: soon", ".0.reap-after: expected a time such as 30m, or keep"),
      ("reap-after: {busy: -1h}", ".0.reap-after.busy: expected a time such as 30m, or keep"),
      ("alert-below: 0", ".0.alert-below: expected a number more than 0"),
      ("alert-waiting: 5", ".0.alert-waiting: expected a time such as 30m, more than 0"),
      ("janitor: []", ".0.janitor: expected a command: a text, or a list of the program and its arguments"),
      ("janitor: {timeout: 1m}", ".0.janitor: expected a command"),
      ("janitor: {command: x, retries: 3}", ".0.janitor.retries: expected only command, arguments, timeout"),
      ("janitor: {deployment: d}", ".0.janitor.errand: expected the name of an errand of the deployment (type t)"),
      (
        "builder: {errand: e}",
        ".0.builder.deployment: expected the name of the deployment that has the errand (type t)"
      ),
      ("janitor: {deployment: 7, errand: e}", ".0.janitor.deployment: expected the name of the deployment"),
      ("builder: {deployment: d, errand: \"\"}", ".0.builder.errand: expected the name of an errand"),
      (
        "janitor: {deployment: d, errand: e, command: c}",
        ".0.janitor: expected a command, or a deployment and its errand"
      ),
      ("builder: {deployment: d, errand: e, retries: 1}", ".0.builder.retries: expected only deployment, errand"),
      ("builder: {deployment: d, errand: e, timeout: soon}", ".0.builder.timeout: expected a time such as 30m"),
      ("mason: x, builder: y", ".0.builder: expected it or mason, which mean the same (type t)"),
      ("mason: {command: x, quarantine-after: often}", ".0.mason.quarantine-after: expected a number more than 0"),
    ])
  func faults(_ keys: String, _ text: String) {
    let error = #expect(throws: DroverError.self) { try load(keys) }
    let message = error?.message ?? ""
    #expect(message.contains(text))
  }

  @Test("names are unique over all types, or per type when that is wanted")
  func uniqueNames() throws {
    let two = "resources: [{type: t, names: [a]}, {type: u, names: [a]}]\n"
    #expect(throws: DroverError.self) { try PoolsConfiguration.load(Array(two.utf8)) }
    #expect(try PoolsConfiguration.load(Array((two + "unique-names: per-type").utf8)).namesAreUniquePerType)
    let same = "resources: [{type: t, names: [a]}, {type: t, names: [a]}]\nunique-names: per-type"
    #expect(throws: DroverError.self) { try PoolsConfiguration.load(Array(same.utf8)) }
    #expect(throws: DroverError.self) { try PoolsConfiguration.load(Array((two + "unique-names: no").utf8)) }
  }
}
