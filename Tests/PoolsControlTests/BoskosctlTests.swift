import Formats
import HTTPService
import PoolsClient
import PoolsProtocol
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import PoolsControl

/// boskosctl's requests, texts and exit codes (reference/boskos.md 15).
@Suite struct BoskosctlTests {
  private static let lease =
    #"{"type":"thing","name":"n","state":"old","owner":"test","lastupdate":"2019-07-24T23:30:40.094116858Z","userdata":{}}"#
  private static let acquire = ["acquire", "--state=new", "--type=thing", "--target-state=old"]
  private static let heartbeat = ["heartbeat", "--resource", lease]

  /// What it said, and what it asked.
  private final class Record: Sendable {
    private let state = Mutex((output: [String](), error: [String](), requests: [String]()))
    var output: [String] { state.withLock { $0.output } }
    var error: [String] { state.withLock { $0.error } }
    var requests: [String] { state.withLock { $0.requests } }
    func say(_ line: String) { state.withLock { $0.output.append(line) } }
    func complain(_ line: String) { state.withLock { $0.error.append(line) } }
    func ask(_ line: String) { state.withLock { $0.requests.append(line) } }
  }

  /// Runs it against a server that always gives the same answer. Nothing waits, but what is an hour and more.
  private func run(
    _ arguments: [String], status: Int = 200, body: String = "",
    interruptedAfter requests: Int? = nil
  ) async throws -> (code: Int32, record: Record) {
    let record = Record()
    let code = Mutex<Int32>(-1)
    var surroundings = Surroundings.system
    let clock = Clock()
    surroundings.elapsed = { clock.now }
    surroundings.sleep = { duration in
      try await Task.sleep(for: duration >= .seconds(3600) ? .seconds(3600) : .milliseconds(1))
      clock.advance(duration)
    }
    let quick = surroundings
    try await withService({ request, content in
      let bytes = (try? await content.collect(limit: 1 << 20)) ?? []
      let parts = [
        request.header("Authorization"), "\(request.method) \(request.target)", String(decoding: bytes, as: UTF8.self),
      ]
      record.ask(parts.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " "))
      return .text(status, body)
    }) { port in
      let program = Boskosctl(
        surroundings: quick, output: .init(standard: { record.say($0) }, error: { record.complain($0) }))
      let result = await program.run(
        arguments + ["--server-url=http://127.0.0.1:\(port)", "--owner-name=test"]
      ) {
        while record.output.count < requests ?? .max, !Task.isCancelled {
          try? await Task.sleep(for: .milliseconds(1))
        }
      }
      code.withLock { $0 = result }
    }
    return (code.withLock { $0 }, record)
  }

  @Test("acquire prints the resource")
  func acquires() async throws {
    let (code, record) = try await run(Self.acquire, body: Self.lease)
    #expect(code == 0 && record.output == [Self.lease] && record.error == [])
    #expect(record.requests == ["POST /acquire?dest=old&owner=test&state=new&type=thing"])
  }

  @Test("acquire says why there is nothing, and fails")
  func acquireFails() async throws {
    for (status, body) in [(404, #"Acquire failed: resource type "thing" does not exist"#), (403, "not you\n")] {
      let (code, record) = try await run(Self.acquire, status: status, body: body)
      let text = status == 404 ? "resources not found" : "not you"
      #expect(code == 1 && record.error == ["failed to acquire a resource: \(text)"])
    }
    for (status, text) in [(404, "resources not found"), (401, "resources already used by another user")] {
      let (code, record) = try await run(Self.acquire, status: status)
      #expect(code == 1 && record.output == [] && record.error == ["failed to acquire a resource: \(text)"])
      #expect(record.requests.count == 1)
    }
    let (code, record) = try await run(Self.acquire, status: 500)
    #expect(code == 1 && record.requests.count == 4)
    #expect(
      record.error
        == ["failed to acquire a resource: status 500 Internal Server Error, status code 500"])
  }

  @Test("acquire with a time-out waits in line with a request id")
  func acquireWaits() async throws {
    let (code, record) = try await run(Self.acquire + ["--timeout=7s"], status: 404)
    #expect(code == 1 && record.error == ["failed to acquire a resource: resources not found"])
    // At once, after 3, 6 and 7 seconds.
    #expect(record.requests.count == 4 && Set(record.requests).count == 1)
    #expect(record.requests[0].contains("&request_id="))
  }

  @Test("release and metrics print what they did")
  func others() async throws {
    let released = try await run(["release", "--name", "n", "--target-state", "old"])
    #expect(released.code == 0 && released.record.output == [#"released resource "n""#])
    #expect(released.record.requests == ["POST /release?dest=old&name=n&owner=test"])
    let failed = try await run(["release", "--name", "n", "--target-state", "old"], status: 404)
    #expect(failed.code == 1 && failed.record.requests.count == 4)
    #expect(
      failed.record.error == [#"failed to release resource "n": status 404 Not Found, statusCode 404 releasing n"#])
    let text = #"{"type":"thing","current":{"clean":1},"owner":{"":1}}"#
    let metrics = try await run(["metrics", "--type=thing"], body: text)
    #expect(metrics.code == 0 && metrics.record.output == [text])
    #expect(metrics.record.requests == ["GET /metric?type=thing"])
    let unknown = try await run(["metrics", "--type=thing"], status: 404)
    #expect(
      unknown.record.error
        == [#"failed to get metrics for resource "thing": status 404 Not Found, status code 404"#])
  }

  @Test("heartbeats go on until they are interrupted, at the first time")
  func heartbeats() async throws {
    let (code, record) = try await run(Self.heartbeat, interruptedAfter: 3)
    #expect(code == 0)
    #expect(record.output.first == #"heartbeat sent for resource "n""#)
    #expect(record.output.last == #"received interrupt, stopping heartbeats for resource "n""#)
    #expect(record.requests.first == "POST /update?name=n&owner=test&state=old {}\n")
  }

  @Test("heartbeats end at their time, and fail when the lease is lost or the server is gone too often")
  func heartbeatEnds() async throws {
    let timeout = try await run(Self.heartbeat + ["--timeout=1ms", "--period=24h"])
    #expect(timeout.code == 0)
    #expect(timeout.record.output == [#"reached timeout, stopping heartbeats for resource "n""#])
    let lost = try await run(Self.heartbeat, status: 401)
    #expect(lost.code == 1 && lost.record.error.count == 1)
    let unknown = try await run(Self.heartbeat + ["--retries=0"], status: 404)
    #expect(unknown.code == 1 && unknown.record.output == [])
    #expect(unknown.record.error.first?.hasPrefix(#"failed to send heartbeat for resource "n": "#) == true)
    let gone = try await run(Self.heartbeat + ["--retries=2"], status: 500)
    #expect(gone.code == 1 && gone.record.error.count == 3)
  }

  @Test(
    "what is no resource is refused in the words of Go's decoder, before anything is sent",
    arguments: [
      ("", "unexpected end of JSON input"), ("{", "unexpected end of JSON input"),
      ("{bad", "invalid character 'b' looking for beginning of object key string"),
      ("{} x", "invalid character 'x' after top-level value"),
      ("[]", "json: cannot unmarshal array into Go value of type common.Resource"),
      ("7", "json: cannot unmarshal number into Go value of type common.Resource"),
      (#"{"name":7}"#, "json: cannot unmarshal number into Go struct field Resource.name of type string"),
    ])
  func brokenResource(text: String, fault: String) async throws {
    let (code, record) = try await run(["heartbeat", "--resource", text])
    #expect(code == 1 && record.error == ["failed to parse resource: \(fault)"] && record.requests == [])
  }

  @Test("the password of a file is sent, with a warning when there is no TLS")
  func password() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/password", "secret")
      let (code, record) = try await run(
        Self.acquire + ["--username=test", "--password-file=\(folder)/password"], body: Self.lease)
      #expect(code == 0 && record.output.count == 2)
      #expect(record.output[0].hasPrefix("[WARNING] should NOT use password without enabling TLS: 'http://"))
      #expect(
        record.requests == ["Basic dGVzdDpzZWNyZXQ= POST /acquire?dest=old&owner=test&state=new&type=thing"])
    }
    let half = try await run(Self.acquire + ["--username=test"])
    #expect(half.code == 1)
    #expect(
      half.record.error
        == ["failed to initialize the Boskos client: username and passwordFile must be specified together"])
    let none = try await run(Self.acquire + ["--username=test", "--password-file=/nowhere/password"])
    #expect(none.code == 1 && none.record.requests == [])
    #expect(
      none.record.error
        == ["failed to initialize the Boskos client: open /nowhere/password: No such file or directory"])
  }

  private func usage(_ arguments: [String]) async -> (code: Int32, record: Record) {
    let record = Record()
    let program = Boskosctl(
      surroundings: .system, output: .init(standard: { record.say($0) }, error: { record.complain($0) }))
    return (await program.run(arguments) {}, record)
  }

  @Test("what is missing is said with the usage, and once more on standard output")
  func missing() async {
    let (code, record) = await usage(["acquire", "--server-url=u", "--owner-name=o"])
    let text = #"required flag(s) "state", "target-state", "type" not set"#
    #expect(code == 1 && record.output == [text])
    #expect(
      record.error == [
        """
        Error: \(text)
        Usage:
          boskosctl acquire [flags]

        Flags:
          -h, --help                  help for acquire
              --state string          State to acquire the resource in
              --target-state string   Move resource to this state after acquiring
              --timeout duration      If set, retry this long until the resource has been acquired
              --type string           Type of resource to acquire

        Global Flags:
              --owner-name string      Name identifying the user of this client
              --password-file string   The path to password file used to access the Boskos server
              --server-url string      URL of the Boskos server
              --username string        Username used to access the Boskos server

        """
      ])
    let bare = await usage([])
    #expect(bare.code == 1 && bare.record.output == [#"required flag(s) "owner-name", "server-url" not set"#])
    let bogus = await usage(["bogus"])
    #expect(bogus.code == 1 && bogus.record.output == [#"unknown command "bogus" for "boskosctl""#])
    #expect(
      bogus.record.error == [
        """
        Error: unknown command "bogus" for "boskosctl"
        Usage:
          boskosctl [flags]
          boskosctl [command]

        Available Commands:
          acquire     Acquire resource leases
          completion  Generate the autocompletion script for the specified shell
          heartbeat   Send a heartbeat for a resource reservation
          help        Help about any command
          metrics     Get metrics on resource states
          release     Release resource leases

        Flags:
          -h, --help                   help for boskosctl
              --owner-name string      Name identifying the user of this client
              --password-file string   The path to password file used to access the Boskos server
              --server-url string      URL of the Boskos server
              --username string        Username used to access the Boskos server

        Use "boskosctl [command] --help" for more information about a command.

        """
      ])
    let help = await usage(["--help"])
    #expect(help.code == 0 && help.record.error == [])
    let wrong = await usage(["acquire", "--timeout", "x"])
    #expect(
      wrong.record.output == [#"invalid argument "x" for "--timeout" flag: time: invalid duration "x""#])
  }
}

/// Time that passes only by waiting.
private final class Clock: Sendable {
  private let time = Mutex(Duration.zero)
  var now: Duration { time.withLock { $0 } }
  func advance(_ duration: Duration) { time.withLock { $0 += duration } }
}
