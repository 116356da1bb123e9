import AgentProtocol
import Digests
import Formats
import Logging
import Surroundings
import Testing

@testable import Agent
@testable import Supervision

@Suite struct PureTests {
  @Test("old tasks are forgotten by age, number and size of output, but not the newest")
  func retention() {
    func task(_ id: String, _ second: Int, _ output: Int = 0) -> TaskRetention.Finished {
      .init(id: id, endedAt: Timestamp(seconds: second), output: output)
    }
    let now = Timestamp(seconds: 1000)
    let retention = TaskRetention(maximumAge: .seconds(500), maximumCount: 2, maximumOutput: 100)
    #expect(retention.expired([task("a", 400), task("b", 600)], now: now) == ["a"])
    #expect(retention.expired([task("a", 900), task("b", 800), task("c", 700)], now: now) == ["c"])
    #expect(retention.expired([task("a", 900, 500), task("b", 800, 1)], now: now) == ["b"])
    #expect(retention.expired([task("a", 900, 60), task("b", 800, 40)], now: now) == [])
  }

  @Test("what is secret does not reach the log")
  func redaction() {
    let value: Value = [
      "arguments": [
        ["signed_url": "https://x?sig", "properties": ["a": 1], "env": ["TOKEN": "t"], "name": "n", "payload": ""]
      ]
    ]
    #expect(
      JSON.text(Redaction.apply(to: value))
        == #"{"arguments":[{"signed_url":"‹redacted›","properties":"‹redacted›","env":"‹redacted›","name":"n","payload":""}]}"#
    )
  }

  @Test("log lines have the agent's form")
  func logLine() {
    let line = AgentLogHandler.line(
      tag: "agent", time: 1_795_252_320, level: .info, message: "text", metadata: ["b": "2", "a": "1"])
    #expect(line == "[agent] 2026/11/21 09:12:00 INFO - text a=1 b=2\n")
  }

  @Test("the processors' shares are those between two looks")
  func processorTimes() throws {
    let first = try #require(ProcessorTimes("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n"))
    let second = try #require(ProcessorTimes("cpu  150 0 125 900 25 0 0 0 0 0\n"))
    #expect(second.share(\.user, since: first) == "25.0")
    #expect(second.share(\.system, since: first) == "12.5")
    #expect(second.share(\.wait, since: first) == "12.5")
    #expect(first.share(\.user, since: first) == "0.0")
    #expect(ProcessorTimes("nonsense") == nil)
  }

  @Test("memory in use is what is not available")
  func memory() {
    let numbers = MemoryUse.parse("MemTotal: 1000 kB\nMemAvailable: 750 kB\nSwapTotal: 0 kB\n")
    #expect(MemoryUse.memory(numbers) == Vitals.Memory(kilobytes: "250", percent: "25"))
    #expect(MemoryUse.swap(numbers) == Vitals.Memory(kilobytes: "0", percent: "0"))
  }

  @Test(
    "user names for ssh are checked", arguments: [("bosh_abc123", true), ("", false), ("a;b", false), ("-x", false)])
  func userNames(name: String, isGood: Bool) {
    #expect(SSHAccess.isUserName(name) == isGood)
  }

  @Test("users are matched by a regular expression, and a broken one is refused")
  func userPattern() throws {
    let matches = try SSHAccess.matcher("^bosh_a[0-9]+$")
    #expect(matches("bosh_a12") && !matches("bosh_b12"))
    #expect(throws: DroverError.self) { try SSHAccess.matcher("(") }
  }

  @Test("certificates are split at their marks")
  func certificates() {
    let one = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"
    #expect(TrustedCertificates.split("x\n\(one)\(one)-----BEGIN CERTIFICATE-----\nhalf") == [one, one])
    #expect(TrustedCertificates.split("") == [])
  }

  @Test(
    "addresses are told from options", arguments: [("10.0.0.1", true), ("fe80::1", true), ("-x", false), ("", false)])
  func addresses(text: String, isGood: Bool) {
    #expect(DeleteARPEntriesAction.isAddress(text) == isGood)
  }

  @Test("a death is an alert, a recovery is not")
  func alerts() {
    let death = ServiceAlert(
      service: "web", event: .doesNotExist, action: .restart, description: "process is not running",
      date: Timestamp(seconds: 1_795_252_984))
    let alert = AlertLoop.alert(death, agentID: "a1", number: 7, addresses: ["10.0.0.3", "10.0.0.2"])
    #expect(
      alert
        == Alert(
          id: "1795252984.7@a1", severity: 1, title: "web (10.0.0.2, 10.0.0.3) - Does not exist - restart",
          summary: "process is not running", createdAt: 1_795_252_984))
    var recovery = death
    recovery.event = .exists
    #expect(AlertLoop.alert(recovery, agentID: "a1", number: 8, addresses: []) == nil)
  }

  @Test(
    "every kind of event has the severity that a BOSH agent gives it",
    arguments: [
      (ServiceEvent.Kind.existence, 1, nil, 4), (.execution, 1, nil, 4), (.connection, 1, nil, 3),
      (.timeout, 2, nil, 4), (.checksum, 2, nil, 4), (.user, 2, nil, 4), (.resource, 3, nil, 4), (.size, 3, nil, 3),
      (.timestamp, 3, nil, 4), (.permission, 3, nil, 4), (.group, 3, nil, 4), (.data, 3, nil, 4), (.type, 3, nil, 4),
      (.action, nil, nil, nil),
    ] as [(ServiceEvent.Kind, Int?, Int?, Int?)])
  func severities(kind: ServiceEvent.Kind, failed: Int?, succeeded: Int?, changed: Int?) {
    #expect(AlertLoop.severity(ServiceEvent(kind, .failed).name) == failed)
    #expect(AlertLoop.severity(ServiceEvent(kind, .succeeded).name) == succeeded)
    #expect(AlertLoop.severity(ServiceEvent(kind, .changed).name) == changed)
    #expect(AlertLoop.severity(ServiceEvent(kind, .unchanged).name) == nil)
  }

  @Test("the slides' layout of bundles is kept: version and the whole digest name a folder")
  func bundle() throws {
    let bundle = try Bundle(.packages, name: "p", version: "1", digest: "aa;sha256:bb")
    #expect(bundle.identity == DigestHasher.hex(.sha1, "1-aa;sha256:bb"))
    #expect(try Bundle(.packages, name: "p", version: "1", digest: nil).identity == DigestHasher.hex(.sha1, "1"))
    #expect(bundle.link(VMLayout()) == "/var/vcap/packages/p")
  }
}
