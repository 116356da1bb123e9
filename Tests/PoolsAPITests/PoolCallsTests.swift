import Formats
import Logging
import PoolsProtocol
import Surroundings
import Testing

@testable import Pools
@testable import PoolsAPI

/// Boskos's API, call by call (reference/boskos.md 2 and 18).
@Suite struct PoolCallsTests {
  struct Example: CustomTestStringConvertible, Sendable {
    var call: String
    var body = ""
    var status: Int
    var text: String
    var testDescription: String { "\(call) \(body)" }
    init(_ call: String, _ status: Int, _ text: String) { self.init(call, "", status, text) }
    init(_ call: String, _ body: String, _ status: Int, _ text: String) {
      (self.call, self.body, self.status, self.text) = (call, body, status, text)
    }
  }

  /// A pool `t` with free `a`, `b`, held `h` (busy, by ann), dirty `d`; an empty dynamic type `dyn`.
  static func calls(_ users: PoolUsers? = nil) async throws -> PoolCalls {
    var surroundings = Surroundings.system
    surroundings.now = { Timestamp(seconds: 1_549_578_818) }
    let keeper = try await PoolKeeper(store: nil, surroundings: surroundings, logger: Logger(label: "test"))
    try await keeper.configure(
      PoolsConfiguration([
        .init(type: "t", names: ["h", "a", "b"]), .init(type: "t", state: "dirty", names: ["d"]),
        .init(type: "dyn", maximum: 1),
      ]))
    _ = try await keeper.acquire(names: ["h"], state: "free", destination: "busy", owner: "ann")
    return PoolCalls(keeper: keeper, users: users, metrics: PoolMetrics(), surroundings: surroundings)
  }

  static func send(
    _ calls: PoolCalls, _ text: String, body: String = "", authorization: String? = nil
  ) async -> PoolReply {
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    let target = words[1].split(separator: "?", maxSplits: 1).map(String.init)
    let bytes = Array(body.utf8)
    return await calls.reply(
      to: PoolCall(
        method: words[0], path: target[0], query: target.count > 1 ? target[1] : "", authorization: authorization,
        body: { limit in
          guard bytes.count <= limit else { throw DroverError(.tooLarge, "the body has more than \(limit) bytes") }
          return bytes
        }))
  }

  static let refusals: [Example] = [
    .init("POST /events", 405, "Method POST, /events only accepts GET."),
    .init("GET /events?after=x", 400, "after: expected the number of an event"),
    .init("GET /events?limit=0", 400, "limit: expected a number from 1 to 10000"),
    .init("GET /events?wait=soon", 400, #"time: invalid duration "soon""#),
    .init("GET /resources/nobody", 404, #"no resource "nobody" exists"#),
    .init("GET /resources/a?type=u", 404, #"no resource "a" exists"#),
    .init("GET /resources/a/work", 405, "Method GET, /resources/NAME/work only accepts POST."),
    .init(
      "POST /resources/a/work?owner=o&kind=clean", 400,
      "owner, kind (clean or build) and succeeded (true or false) must be set in the request."),
    .init(
      "POST /resources/a/work?owner=o&kind=clean&succeeded=true", 401,
      "owner mismatch request by o, currently owned by "),
    .init(
      "POST /release?name=h&type=u&dest=d&owner=ann", 404,
      "Done failed: h - d (from ann): no available resource h, try again later."),
    .init("GET /acquire", 405, "Method GET, /acquire only accepts POST."),
    .init("HEAD /acquire", 405, "Method HEAD, /acquire only accepts POST."),
    .init("GET /acquirebystate", 405, "Method GET, /acquire only accepts POST."),
    .init("PUT /release", 405, "Method PUT, /release only accepts POST."),
    .init("GET /update", 405, "Method GET, /update only accepts POST."),
    .init("GET /reset", 405, "Method GET, /reset only accepts POST."),
    .init("POST /metric?type=t", 405, "/metric only accepts GET"),
    .init(
      "POST /acquire?state=s&dest=d&owner=o", 400,
      "Bad request: Type: , state: s, dest: d, owner: o, all of them must be set in the request."),
    .init(
      "POST /acquire?type=t&dest=d&owner=o", 400,
      "Bad request: Type: t, state: , dest: d, owner: o, all of them must be set in the request."),
    .init(
      "POST /acquire?type=t&state=s&owner=o", 400,
      "Bad request: Type: t, state: s, dest: , owner: o, all of them must be set in the request."),
    .init(
      "POST /acquire?type=t&state=s&dest=d&owner=x;y", 400,
      "Bad request: Type: t, state: s, dest: d, owner: , all of them must be set in the request."),
    .init(
      "POST /acquirebystate?state=s&dest=d&owner=o", 400,
      "state: s, dest: d, owner: o, names:  - all of them must be set in the request."),
    .init("POST /release?name=n", 400, "Name: n, dest: , owner: , all of them must be set in the request."),
    .init(
      "POST /update?name=n&owner=o", 400, "Name: n, owner: o, state : , all of them must be set in the request."),
    .init(
      "POST /reset?type=t", 400, "Type: t, state: , expire: , dest: , all of them must be set in the request."),
    .init("GET /metric", 400, "Type must be set in the request."),
    .init(
      "POST /acquire?type=zzz&state=free&dest=d&owner=o", 404,
      #"Acquire failed: resource type "zzz" does not exist"#),
    .init(
      "POST /acquire?type=t&state=gone&dest=d&owner=o", 404,
      "Acquire failed: no available resource t, try again later."),
    // All there are in that state are held.
    .init(
      "POST /acquire?type=t&state=busy&dest=d&owner=o", 404,
      "Acquire failed: no available resource t, try again later."),
    .init(
      "POST /acquire?type=dyn&state=free&dest=d&owner=o&request_id=r", 404,
      "Acquire failed: no available resource dyn, try again later."),
    .init(
      "POST /acquirebystate?state=free&dest=d&owner=o&names=a,", 404,
      "AcquireByState: no available resource free, try again later."),
    .init(
      "POST /release?name=nn&dest=d&owner=o", 404,
      "Done failed: nn - d (from o): no available resource nn, try again later."),
    .init(
      "POST /release?name=h&dest=d&owner=bob", 401,
      "Done failed: h - d (from bob): owner mismatch request by bob, currently owned by ann"),
    .init(
      "POST /release?name=a&dest=d&owner=bob", 401,
      "Done failed: a - d (from bob): owner mismatch request by bob, currently owned by "),
    .init(
      "POST /update?name=nn&owner=o&state=s", 404,
      "Update failed: nn - s (o): no available resource nn, try again later."),
    .init(
      "POST /update?name=h&owner=bob&state=x", 401,
      "Update failed: h - x (bob): owner mismatch request by bob, currently owned by ann"),
    .init(
      "POST /update?name=h&owner=ann&state=free", 409,
      "Update failed: h - free (ann): state mismatch - expected free, current busy"),
    .init(
      "POST /update?name=nn&owner=o&state=s", "{bad", 400,
      "invalid character 'b' looking for beginning of object key string"),
    .init(
      "POST /update?name=h&owner=ann&state=busy", #"{"a":1}"#, 400,
      "json: cannot unmarshal number into Go struct field UserDataMap.a of type string"),
    .init(
      "POST /reset?type=t&state=busy&expire=bogus&dest=d", 400, #"time: invalid duration "bogus""#),
    .init("POST /reset?type=t&state=busy&expire=10&dest=d", 400, #"time: missing unit in duration "10""#),
    .init("GET /metric?type=zz", 404, "no available resource zz, try again later."),
    .init("GET /nowhere", 404, "404 page not found"), .init("POST /acquire/", 404, "404 page not found"),
    .init("POST /acquire?type=t&state=free&dest=d&owner=o&wait=x", 400, #"time: invalid duration "x""#),
  ]

  @Test("what is refused has the documented status and text, and changes nothing", arguments: refusals)
  func refuses(_ example: Example) async throws {
    let calls = try await Self.calls()
    let before = await calls.keeper.resources(type: "t", state: nil, owner: nil, limit: 100)
    let reply = await Self.send(calls, example.call, body: example.body)
    #expect(reply.status == example.status)
    #expect(String(decoding: reply.body, as: UTF8.self) == example.text + "\n")
    #expect(reply.contentType == "text/plain; charset=utf-8" && reply.isError)
    let after = await calls.keeper.resources(type: "t", state: nil, owner: nil, limit: 100)
    #expect(before == after)
  }

  @Test("the root answers 200 without a text, by any method", arguments: ["GET", "POST", "HEAD", "BREW"])
  func root(method: String) async throws {
    let reply = await Self.send(try await Self.calls(), "\(method) /")
    #expect(reply == .success())
  }

  private static let time = #""lastupdate":"2019-02-07T22:33:38Z","#

  @Test("a lease is answered with the resource, byte by byte")
  func acquires() async throws {
    let calls = try await Self.calls()
    let reply = await Self.send(calls, "POST /acquire?type=t&state=free&dest=b%3Csy&owner=o+o&owner=other")
    #expect(reply.status == 200 && reply.contentType == "text/plain; charset=utf-8")
    #expect(
      String(decoding: reply.body, as: UTF8.self)
        == #"{"type":"t","name":"a","state":"b\u003csy","owner":"o o","# + Self.time + #""userdata":{}}"#)
    #expect(await calls.keeper.resource("a")?.owner == "o o")
  }

  @Test("who has to wait is told when to ask again")
  func retryAfter() async throws {
    let reply = await Self.send(try await Self.calls(), "POST /acquire?type=t&state=gone&dest=d&owner=o")
    #expect(reply.status == 404 && reply.retryAfter == PoolCalls.pause)
  }

  @Test("leases by name are an array and a line feed, repeated names count once")
  func acquiresByState() async throws {
    let reply = await Self.send(
      try await Self.calls(), "POST /acquirebystate?state=free&dest=d&owner=o&names=b,a,b")
    #expect(reply.status == 200)
    #expect(
      String(decoding: reply.body, as: UTF8.self)
        == #"[{"type":"t","name":"a","state":"d","owner":"o","# + Self.time
        + #""userdata":{}},{"type":"t","name":"b","state":"d","owner":"o","# + Self.time + "\"userdata\":{}}]\n")
  }

  @Test("an update lays user data over the old, and empty values delete")
  func updates() async throws {
    let calls = try await Self.calls()
    let call = "POST /update?name=h&owner=ann&state=busy"
    #expect(await Self.send(calls, call, body: #"{"a":"1","b":"2"} junk"#) == .success())
    #expect(await Self.send(calls, call, body: #"{"b":"","c":"3"}"#) == .success())
    for body in ["", "null", "{}"] { #expect(await Self.send(calls, call, body: body) == .success()) }
    #expect(await calls.keeper.resource("h")?.userData == ["a": "1", "c": "3"])
    let large = await Self.send(calls, call, body: String(repeating: " ", count: PoolCalls.largestBody + 1))
    #expect(large.status == 413)
  }

  @Test("a release frees the resource, and a second one is a mismatch")
  func releases() async throws {
    let calls = try await Self.calls()
    #expect(await Self.send(calls, "POST /release?name=h&dest=dirty&owner=ann") == .success())
    #expect(await calls.keeper.resource("h")?.state == "dirty")
    #expect(await calls.keeper.resource("h")?.owner == "")
    #expect(await Self.send(calls, "POST /release?name=h&dest=dirty&owner=ann").status == 401)
  }

  @Test(
    "a reset answers with what was taken from whom",
    arguments: [
      ("type=t&state=busy&expire=-1s", #"{"h":"ann"}"#), ("type=t&state=busy&expire=0", #"{"h":"ann"}"#),
      ("type=t&state=busy&expire=1h", "{}"), ("type=t&state=free&expire=0", "{}"),
      ("type=zz&state=busy&expire=0", "{}"),
    ])
  func resets(query: String, text: String) async throws {
    let calls = try await Self.calls()
    let reply = await Self.send(calls, "POST /reset?\(query)&dest=dirty")
    #expect(reply.status == 200 && String(decoding: reply.body, as: UTF8.self) == text)
    #expect(await calls.keeper.resource("h")?.state == (text == "{}" ? "busy" : "dirty"))
  }

  @Test("a metric counts states and owners")
  func metric() async throws {
    let reply = await Self.send(try await Self.calls(), "GET /metric?type=t")
    #expect(reply.status == 200 && reply.contentType == "application/json")
    #expect(
      String(decoding: reply.body, as: UTF8.self)
        == #"{"type":"t","current":{"busy":1,"dirty":1,"free":2},"owner":{"":3,"ann":1}}"#)
  }

  @Test("what is too long is refused")
  func bounds() async throws {
    let long = String(repeating: "x", count: PoolCalls.longestValue + 1)
    let reply = await Self.send(try await Self.calls(), "POST /acquire?type=t&state=free&dest=d&owner=\(long)")
    #expect(reply.status == 400)
    #expect(String(decoding: reply.body, as: UTF8.self) == "owner: more than 1024 bytes\n")
  }

  @Test("the same request again, when it asks for that, has the lease that it already has")
  func idempotent() async throws {
    let calls = try await Self.calls()
    let call = "POST /acquire?type=t&state=free&dest=busy&owner=o&request_id=r"
    let first = await Self.send(calls, call + "&idempotent=true")
    #expect(await Self.send(calls, call + "&idempotent=true") == first)
    #expect(await Self.send(calls, call) != first)
  }

  @Test("resources are listed without being leased, and without what is secret in them")
  func resources() async throws {
    let calls = try await Self.calls()
    _ = await Self.send(calls, "POST /update?name=h&owner=ann&state=busy", body: #"{"key":"secret"}"#)
    let all = try JSON.parse(await Self.send(calls, "GET /resources").body)
    #expect(all.array?.map { $0["name"]?.string } == ["a", "b", "d", "h"])
    let some = try JSON.parse(await Self.send(calls, "GET /resources?type=t&state=free&after=a&limit=5").body)
    #expect(some.array?.map { $0["name"]?.string } == ["b"])
    let one = await Self.send(calls, "GET /resources/h")
    #expect(one.status == 200 && !String(decoding: one.body, as: UTF8.self).contains("secret"))
    #expect(await Self.send(calls, "GET /resources/x").status == 404)
    #expect(await Self.send(calls, "GET /resources?limit=0").status == 400)
  }

  @Test(
    "each parameter is needed, and the state is untouched when one is missing",
    arguments: [
      "/acquire?type=t&state=free&dest=busy&owner=o", "/acquirebystate?state=free&dest=busy&owner=o&names=a",
      "/release?name=h&dest=free&owner=ann", "/update?name=h&owner=ann&state=busy",
      "/reset?type=t&state=busy&expire=0&dest=free",
    ])
  func needsEach(_ call: String) async throws {
    let calls = try await Self.calls()
    let before = await calls.keeper.resources(type: nil, state: nil, owner: nil, limit: 100)
    let parts = call.split(separator: "?").map(String.init)
    let parameters = parts[1].split(separator: "&").map(String.init)
    for left in parameters.indices {
      var rest = parameters
      let removed = rest.remove(at: left)
      let name = removed.prefix { $0 != "=" }
      for query in [rest, rest + ["\(name)="], rest + ["\(name)=x;y"]] {
        #expect(await Self.send(calls, "POST \(parts[0])?\(query.joined(separator: "&"))").status == 400)
      }
    }
    #expect(await calls.keeper.resources(type: nil, state: nil, owner: nil, limit: 100) == before)
    #expect(await Self.send(calls, "POST \(call)").status == 200)
  }

  @Test("without any resources nothing is found, and nothing is to be reset")
  func empty() async throws {
    let keeper = try await PoolKeeper(store: nil, surroundings: .system, logger: Logger(label: "test"))
    let calls = PoolCalls(keeper: keeper, users: nil, metrics: PoolMetrics(), surroundings: .system)
    for call in [
      "POST /acquire?type=t&state=s&dest=d&owner=o", "POST /acquirebystate?state=s&dest=d&owner=o&names=a",
      "POST /release?name=a&dest=d&owner=o", "POST /update?name=a&owner=o&state=s", "GET /metric?type=t",
    ] { #expect(await Self.send(calls, call).status == 404) }
    let reset = await Self.send(calls, "POST /reset?type=t&state=s&expire=20m&dest=d")
    #expect(reset.status == 200 && reset.body == Array("{}".utf8))
    #expect(await Self.send(calls, "GET /").status == 200)
  }

  @Test("a resource is shown with what became of it, how work on it ended, and the events it had")
  func describes() async throws {
    let calls = try await Self.calls()
    func get(_ path: String) async throws -> Value {
      let reply = await Self.send(calls, "GET \(path)")
      #expect(reply.status == 200)
      return try JSON.parse(reply.body)
    }
    #expect(
      await Self.send(calls, "POST /update?name=h&owner=ann&state=busy&dest=keep", body: #"{"k":"s3cret"}"#).status
        == 200)
    let work = await Self.send(
      calls, "POST /resources/h/work?owner=ann&kind=clean&succeeded=false&ending=exited+with+1&took=2s", body: "no\n")
    #expect(String(decoding: work.body, as: UTF8.self) == "{\"failures\":1}\n")
    let shown = try await get("/resources/h?type=t")
    #expect(shown["state"]?.string == "keep" && shown["userdata"] == [:])
    #expect(shown["history"]?.array?.map { $0["what"]?.string } == ["moved", "leased", "made"])
    #expect(shown["history"]?[0]?["from"]?.string == "busy" && shown["history"]?[0]?["owner"]?.string == "ann")
    #expect(shown["work"]?[0]?["log"]?.string == "no\n" && shown["work"]?[0]?["took"]?.string == "2s")
    #expect(shown["failures"]?.int == 1)
    let none = try await get("/events")
    #expect(none["events"]?.array?.isEmpty == true && none["forgotten"] == false)
    _ = await Self.send(calls, "POST /reset?type=t&state=keep&expire=0&dest=dirty")
    let last = try #require(none["last"]?.int)
    let events = try await get("/events?after=\(last)&event=lease-lost&wait=1m")
    #expect(events["events"]?[0]?["name"]?.string == "h" && events["events"]?[0]?["owner"]?.string == "ann")
    #expect(events["events"]?[0]?["id"]?.int == last + 1 && events["last"]?.int == last + 1)
  }

  @Test("a call may wait in line, and gets what is released meanwhile")
  func waits() async throws {
    let calls = try await Self.calls()
    let call = "POST /acquire?type=t&state=clean&dest=busy&owner=o"
    #expect(await Self.send(calls, call + "&wait=1ms").status == 404)
    async let waiting = Self.send(calls, call + "&wait=60s")
    // The one before it has given its place up.
    while await calls.keeper.waiting < 1 { await Task.yield() }
    _ = await Self.send(calls, "POST /release?name=h&dest=clean&owner=ann")
    #expect(await waiting.status == 200)
  }

  @Test("with users, each acts as the owners that are his only, and nobody else gets in")
  func users() async throws {
    let calls = try await Self.calls(try PoolUsers("ann:one\nbob:two:bob,eve\nreaper:three:*\n"))
    func send(_ call: String, _ user: String?) async -> Int {
      await Self.send(calls, call, authorization: user.map { "Basic \(Base64.encode($0.utf8))" }).status
    }
    let release = "POST /release?name=h&dest=dirty&owner=ann"
    #expect(await send("GET /metric?type=t", nil) == 401)
    #expect(await send(release, "ann:wrong") == 401)
    #expect(await send(release, "bob:two") == 403)
    #expect(await send("POST /reset?type=t&state=busy&expire=0&dest=dirty", "ann:one") == 403)
    #expect(await calls.keeper.resource("h")?.owner == "ann")
    #expect(await send("POST /acquire?type=t&state=free&dest=busy&owner=eve", "bob:two") == 200)
    #expect(await send(release, "ann:one") == 200)
    #expect(await send("POST /reset?type=t&state=busy&expire=0&dest=dirty", "reaper:three") == 200)
    #expect(throws: DroverError.self) { try PoolUsers("ann") }
    #expect(throws: DroverError.self) { try PoolUsers("ann:a\nann:b") }
  }
}
