import Formats
import PoolsCommands
import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI

/// User data are credentials more often than not: nothing of them is ever in a log.
@Suite(.timeLimit(.minutes(5))) struct SecrecyTests {
  private static let value = "S3CRET-AKIAIOSFODNN7"
  private static let key = "S3CRET-key"

  @Test("no user data is in the log at its most talkative, whatever is done and goes wrong")
  func silent() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/config.yaml"
      let text = "resources: [{type: t, names: [a, b, c]}, {type: dyn, min-count: 1, max-count: 2, lifespan: 1h}]\n"
      try writeTestFile(file, text)
      let log = KeptLog()
      for _ in 0..<2 {
        try await RunningPools.with(file: file, database: "\(folder)/pools.sqlite", log: log) { pools in
          try await operations(pools)
          try writeTestFile(file, "resources: []\n")
          try await until { log.all.contains { $0.contains("have faults") } }
          try writeTestFile(file, text)
          try await until { log.all.contains { $0.contains("read anew") } }
        }
      }
      // It was worth looking.
      #expect(log.all.count > 100 && log.all.contains { $0.hasPrefix("trace") || $0.hasPrefix("debug") })
      #expect(log.all.filter { $0.contains("S3CRET") } == [])
    }
  }

  private func operations(_ pools: RunningPools) async throws {
    let data = #"{"\#(Self.key)":"\#(Self.value)","other":"\#(Self.value)"}"#
    let lease = try await pools.post("/acquire?type=t&state=free&dest=busy&owner=o&request_id=r&idempotent=true")
    let name = try #require(try JSON.parse(lease.bytes)["name"]?.string)
    let update = "/update?name=\(name)&owner=o&state=busy"
    #expect(try await pools.post(update, body: data).status == 200)
    for body in [
      #"{"\#(Self.key)":1}"#, #"{"\#(Self.key)":"\#(Self.value)"#, Self.value, #"["\#(Self.value)"]"#,
      #""\#(Self.value)""#,
    ] { #expect(try await pools.post(update, body: body).status == 400) }
    #expect(try await pools.post("/update?name=\(name)&owner=o&state=no", body: data).status == 409)
    #expect(try await pools.post("/update?name=\(name)&owner=x&state=busy", body: data).status == 401)
    #expect(try await pools.post("/update?name=none&owner=o&state=busy", body: data).status == 404)
    #expect(
      try await pools.post(update, body: #"{"k":"\#(Self.value)\#(String(repeating: "x", count: 2 << 20))"}"#).status
        == 413)
    // Who leases it sees them.
    #expect(try await pools.post("/release?name=\(name)&dest=odd&owner=o").status == 200)
    let again = try await pools.post("/acquirebystate?state=odd&dest=busy&owner=o&names=\(name)")
    #expect(again.text.contains(Self.value))
    for path in ["/resources", "/resources/\(name)", "/events", "/metric?type=t"] {
      let answer = try await TestHTTP.send("GET", pools.api + path)
      #expect(answer.status == 200 && !answer.text.contains("S3CRET"))
    }
    #expect(try await pools.post("/reset?type=t&state=busy&expire=-1s&dest=dirty").text == #"{"\#(name)":"o"}"#)
    let waiting = try await pools.post("/acquire?type=t&state=none&dest=busy&owner=o&wait=20ms&request_id=w")
    #expect(waiting.status == 404)
    try await services(pools)
    #expect(!(try await TestHTTP.send("GET", pools.metrics + "/metrics")).text.contains("S3CRET"))
  }

  /// What cleans and builds, which is given user data and makes some.
  private func services(_ pools: RunningPools) async throws {
    func access(_ owner: String) -> LocalPools { LocalPools(pools.keeper, owner: owner, surroundings: .system) }
    let types = try TypeSource(types: ["t"], file: nil)
    let failing = ServiceProgram(command: ["/bin/sh", "-c", "echo \(Self.value); exit 1"])
    await Janitor(
      access("Janitor"), types: types, settings: .init(program: failing), logger: pools.log.logger
    ).round()
    await Janitor(
      access("Janitor"), types: types, settings: .init(program: .init(command: ["/bin/true"])), logger: pools.log.logger
    ).round()
    let configuration = PoolsConfiguration([
      .init(type: "dyn", minimum: 1, maximum: 2, construction: .init(type: "Maker", content: Self.value))
    ])
    for output in [
      #"{"\#(Self.key)":"\#(Self.value)"}"#, #"{"\#(Self.key)":7}"#, #"{"\#(Self.key)" \#(Self.value)"#, Self.value,
    ] {
      let one = try await access("o").acquire(
        type: "dyn", from: await pools.keeper.resources(type: "dyn", state: nil, owner: "", limit: 1)[0].state,
        to: "busy", requestID: nil, isIdempotent: false)
      try await access("o").release(one.name, type: nil, to: "dirty")
      let script = "cat >/dev/null; echo '\(output)'"
      await Mason(
        access("mason"), types: TypeSource { configuration },
        settings: .init(programs: ["Maker": .init(command: ["/bin/sh", "-c", script])]), logger: pools.log.logger
      ).pass()
    }
    #expect(pools.log.all.contains { $0.contains("what it made cannot be kept: it is no JSON object of texts") })
    for state in ["dirty", "free"] {
      for one in await pools.keeper.resources(type: "dyn", state: state, owner: "", limit: 1) {
        _ = try await access("o").acquire(names: [one.name], type: nil, from: state, to: "busy")
        try await access("o").release(one.name, type: nil, to: "toBeDeleted")
      }
    }
    await Cleaner(
      access("cleaner"), types: TypeSource(onlyDynamic: true) { configuration }, logger: pools.log.logger
    ).pass()
  }
}
