import Formats
import PoolsClient
import PoolsProtocol
import Surroundings
import Synchronization
import TestSupport
import Testing

@Suite struct PoolsClientTests {
  /// Surroundings that do not wait.
  static func quick() -> Surroundings {
    var surroundings = Surroundings.system
    surroundings.sleep = { _ in try Task.checkCancellation() }
    return surroundings
  }

  private static let lease =
    #"{"type":"t","name":"n","state":"busy","owner":"me","lastupdate":"2019-07-24T23:30:40.094116858Z","userdata":{"a":"1"}}"#

  @Test("a lease is asked for with sorted and escaped parameters")
  func acquires() async throws {
    let server = ScriptedServer([.init(status: 200, body: Self.lease)])
    try await server.serve { url in
      let client = try PoolsClient(url: url + "/lost", owner: "a b&c", surroundings: Self.quick())
      let resource = try await client.acquire(type: "t", from: "free", to: "busy", requestID: "r/1")
      #expect(resource.name == "n" && resource.userData == ["a": "1"])
    }
    #expect(server.requests == ["POST /acquire?dest=busy&owner=a+b%26c&request_id=r%2F1&state=free&type=t"])
  }

  @Test(
    "refusals have errors of their own, and are not asked again",
    arguments: [
      (401, "", PoolsClientError.alreadyInUse), (404, "", .notFound),
      (404, "Acquire failed: resource type \"t\" does not exist\n", .typeNotFound),
    ])
  func refusals(status: Int, body: String, error: PoolsClientError) async throws {
    let server = ScriptedServer([.init(status: status, body: body)])
    try await server.serve { url in
      let client = try PoolsClient(url: url, owner: "me", surroundings: Self.quick())
      await #expect(throws: error) { try await client.acquire(type: "t", from: "free", to: "busy") }
    }
    #expect(server.requests.count == 1)
  }

  @Test("a server that wants another user is asked once, waited for by nobody, and takes nobody's lease away")
  func notLetIn() async throws {
    let server = ScriptedServer([.init(status: 401, body: "user name and password are needed", realm: "Boskos")])
    let resource = PooledResource(type: "t", name: "r", state: "busy", owner: "me")
    try await server.serve { url in
      let client = try PoolsClient(url: url, owner: "me", surroundings: Self.quick())
      let error = PoolsClientError.notLetIn(url, user: nil)
      await #expect(throws: error) { try await client.acquireWaiting(type: "t", from: "free", to: "busy") }
      await #expect(throws: error) { try await client.resources() }
      await #expect(throws: error) { try await client.update("r", state: "busy") }
      #expect(error.loss(of: resource) == nil)
      #expect("\(error)" == "the server at \(url) wants a user and a password")
    }
    #expect(server.requests.count == 3)
  }

  @Test("a server in trouble is asked four times, with pauses of 1, 4 and 9 seconds")
  func repeats() async throws {
    let pauses = Pauses()
    let server = ScriptedServer([.init(status: 500), .init(status: 503), .init(status: 500)])
    try await server.serve { url in
      let client = try PoolsClient(url: url, owner: "me", surroundings: pauses.surroundings)
      await #expect(
        throws: PoolsClientError.failed([
          "status 500 Internal Server Error, status code 500", "status 503 Service Unavailable, status code 503",
        ])
      ) { try await client.metric("t") }
    }
    #expect(server.requests.count == 4)
    #expect(pauses.all == [.seconds(1), .seconds(4), .seconds(9)])
  }

  @Test("a server that does not listen is told as such after the four attempts, which do not wait for one to come")
  func refusedConnection() async throws {
    let pauses = Pauses()
    let client = try PoolsClient(url: "http://127.0.0.1:\(freePort())", owner: "me", surroundings: pauses.surroundings)
    let error = await #expect(throws: PoolsClientError.self) { try await client.metric("t") }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasSuffix("/metric\": Connection refused"), "\(text)")
    #expect(pauses.all == [.seconds(1), .seconds(4), .seconds(9)])
  }

  @Test("a server that is in trouble once or twice is asked once or twice more", arguments: [0, 1, 2, 3])
  func recovers(failures: Int) async throws {
    let pauses = Pauses()
    let server = ScriptedServer(
      Array(repeating: .init(status: 500), count: failures)
        + [.init(status: 200, body: #"{"type":"t","current":{},"owner":{}}"#)])
    try await server.serve { url in
      _ = try await PoolsClient(url: url, owner: "me", surroundings: pauses.surroundings).metric("t")
    }
    #expect(pauses.all == Array([Duration.seconds(1), .seconds(4), .seconds(9)].prefix(failures)))
  }

  @Test(
    "leasing by no names at all is refused by the server, and said in its words or as Boskos's client says it",
    arguments: [("", false), ("all of them must be set in the request.", false), ("", true)])
  func noNames(words: String, isBoskos: Bool) async throws {
    let server = ScriptedServer([.init(status: 400, body: words)])
    try await server.serve { url in
      let client = try PoolsClient(
        url: url, owner: "me", options: .init(repeatsRefusals: isBoskos), surroundings: Self.quick())
      await #expect {
        try await client.acquire(names: [], from: "free", to: "busy")
      } throws: {
        "\($0)" == (words.isEmpty ? "status 400 Bad Request, status code 400" : words)
      }
    }
    let call = "POST /acquirebystate?dest=busy&names=&owner=me&state=free"
    #expect(server.requests == Array(repeating: call, count: isBoskos ? 4 : 1))
  }

  @Test("what a resource was built from is the same list when it is read again, whatever the names look like")
  func leasedResources() {
    for names in [[], ["a"], ["b", "a", "b"], ["17", "true", "null", "1e3", "0x1", "1.5", "no", "a.b-c"]] {
      #expect(LeasedResources.names([LeasedResources.key: LeasedResources.text(names)]) == names)
    }
    #expect(LeasedResources.names([:]) == nil && LeasedResources.names([LeasedResources.key: "["]) == nil)
    // As Go writes it.
    #expect(LeasedResources.names([LeasedResources.key: "- b\n- \"17\"\n"]) == ["b", "17"])
  }

  @Test("who waits asks again with the same request id until there is something")
  func waits() async throws {
    let server = ScriptedServer([.init(status: 404), .init(status: 404), .init(status: 200, body: Self.lease)])
    try await server.serve { url in
      let client = try PoolsClient(url: url, owner: "me", surroundings: Self.quick())
      _ = try await client.acquireWaiting(type: "t", from: "free", to: "busy", requestID: "7")
    }
    #expect(
      server.requests
        == Array(
          repeating: "POST /acquire?dest=busy&idempotent=true&owner=me&request_id=7&state=free&type=t", count: 3))
  }

  @Test("updates send user data as JSON, releases and resets what they are about")
  func others() async throws {
    let server = ScriptedServer([
      .init(status: 200), .init(status: 200), .init(status: 200), .init(status: 200, body: #"{"n":"me"}"#),
      .init(status: 200, body: #"{"type":"t","current":{"free":1},"owner":{"":1}}"#),
    ])
    try await server.serve { url in
      let client = try PoolsClient(url: url, owner: "me", surroundings: Self.quick())
      try await client.update("n", state: "busy", userData: ["b": "<", "a": ""])
      try await client.update("n", state: "busy")
      try await client.release("n", to: "dirty")
      let lost = try await client.reset(type: "t", state: "busy", expiry: .seconds(1200), to: "dirty")
      #expect(lost == ["n": "me"])
      let metric = try await client.metric("t")
      #expect(metric == PoolMetric(type: "t", current: ["free": 1], owners: ["": 1]))
    }
    #expect(
      server.requests == [
        "POST /update?name=n&owner=me&state=busy {\"a\":\"\",\"b\":\"\\u003c\"}\n",
        "POST /update?name=n&owner=me&state=busy",
        "POST /release?dest=dirty&name=n&owner=me", "POST /reset?dest=dirty&expire=20m0s&state=busy&type=t",
        "GET /metric?type=t",
      ])
  }

  @Test("a lease is held as long as the work takes, and handed back dirty whatever its end is")
  func withLease() async throws {
    struct Broken: Error {}
    for fails in [false, true] {
      let server = ScriptedServer([.init(status: 200, body: Self.lease), .init(status: 200)])
      try await server.serve { url in
        let client = try PoolsClient(url: url, owner: "me")
        let run = {
          try await client.withLease(type: "t") { lease in
            if fails { throw Broken() }
            return lease.userData["a"]
          }
        }
        if fails { await #expect(throws: Broken.self) { try await run() } } else { #expect(try await run() == "1") }
      }
      #expect(server.requests.last == "POST /release?dest=dirty&name=n&owner=me&type=t")
    }
  }

  @Test("work whose lease is lost is cancelled, and its holder is told")
  func lost() async throws {
    let server = ScriptedServer([
      .init(status: 200, body: Self.lease), .init(status: 200), .init(status: 401, body: "gone"),
    ])
    try await server.serve { url in
      let client = try PoolsClient(url: url, owner: "me")
      let wasCancelled = Flag()
      await #expect(throws: PoolsClientError.self) {
        try await client.withLease(type: "t", terms: .init(heartbeat: .milliseconds(5))) { _ in
          do { try await Task.sleep(for: .seconds(3600)) } catch { wasCancelled.set() }
        }
      }
      #expect(wasCancelled.isSet)
    }
  }

  @Test("user and password file go together, and the password is trimmed")
  func credentials() async throws {
    #expect(throws: DroverError.self) { try PoolsClient(url: "http://h", owner: "o", username: "u") }
    #expect(throws: DroverError.self) { try PoolsClient(url: "h:80", owner: "o") }
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/password", "secret\n")
      let server = ScriptedServer([.init(status: 200)])
      try await server.serve { url in
        let client = try PoolsClient(url: url, owner: "o", username: "test", passwordFile: "\(folder)/password")
        try await client.release("n", to: "free")
        #expect(client.exposesPassword)
      }
      #expect(server.requests == ["Basic dGVzdDpzZWNyZXQ= POST /release?dest=free&name=n&owner=o"])
    }
  }
}

/// Notes for how long somebody would have waited.
final class Pauses: Sendable {
  private let state = Mutex([Duration]())
  var all: [Duration] { state.withLock { $0 } }
  var surroundings: Surroundings {
    var surroundings = Surroundings.system
    surroundings.sleep = { duration in self.state.withLock { $0.append(duration) } }
    return surroundings
  }
}

/// Something that happened.
final class Flag: Sendable {
  private let state = Mutex(false)
  var isSet: Bool { state.withLock { $0 } }
  func set() { state.withLock { $0 = true } }
}
