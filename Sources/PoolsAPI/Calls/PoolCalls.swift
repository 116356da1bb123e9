import Formats
import GoConventions
import Pools
import PoolsProtocol
import Surroundings

/// Answers the calls of Boskos's API: in its order of checks, with its statuses and texts (reference/boskos.md 2).
struct PoolCalls: Sendable {
  /// Names, states and owners have at most so many bytes.
  static let longestValue = 1024
  /// The body of an update has at most so many.
  static let largestBody = 1 << 20
  /// What a client that waits should wait before it asks again, in seconds.
  static let pause = 3
  /// Longer than this no call waits in line.
  static let longestWait = Duration.seconds(300)

  let keeper: PoolKeeper
  var users: PoolUsers?
  let metrics: PoolMetrics
  let surroundings: Surroundings

  func reply(to call: PoolCall) async -> PoolReply {
    let begin = surroundings.elapsed()
    let reply = await answer(call)
    let path = call.path.hasPrefix("/resources/") ? "/resources" : call.path
    metrics.answered(
      path: Self.known.contains(path) ? path : "unmatched", method: call.method, status: reply.status,
      userAgent: call.userAgent, duration: surroundings.elapsed() - begin, size: reply.body.count)
    return reply
  }

  private static let known: Set<String> = [
    "/acquire", "/acquirebystate", "/release", "/reset", "/update", "/metric", "/resources", "/events",
  ]

  private func answer(_ call: PoolCall) async -> PoolReply {
    var user: PoolUsers.User?
    if let users {
      guard let known = users.user(authorization: call.authorization) else {
        var reply = PoolReply.error(401, "user name and password are needed")
        reply.realm = "Boskos"
        return reply
      }
      user = known
    }
    let query = PoolQuery(call.query)
    if let name = query.tooLong(Self.longestValue, except: ["names"]) {
      return .error(400, "\(name): more than \(Self.longestValue) bytes")
    }
    switch call.path {
    case "/": return .success()
    case "/acquire": return await acquire(call, query, user)
    case "/acquirebystate": return await acquireByState(call, query, user)
    case "/release": return await release(call, query, user)
    case "/update": return await update(call, query, user)
    case "/reset": return await reset(call, query, user)
    case "/metric": return await metric(call, query)
    case "/events": return await events(call, query)
    default: return await resources(call, query, user)
    }
  }

  private func wrongMethod(_ call: PoolCall, _ path: String) -> PoolReply {
    .error(405, "Method \(call.method), \(path) only accepts POST.")
  }

  /// Nil when this user may act as this owner.
  func refusal(_ user: PoolUsers.User?, owner: String) -> PoolReply? {
    guard let user, !user.mayActAs(owner) else { return nil }
    return .error(403, "user \(user.name) may not act as owner \(owner)")
  }

  /// A refusal by its class.
  func refused(_ fault: PoolFault, _ prefix: String) -> PoolReply {
    .error(fault.status, prefix + fault.description)
  }

  /// How long the caller wants to wait, within limits.
  static func wait(_ query: PoolQuery) throws -> Duration? {
    try query.given("wait").map { min(try GoDuration.parse($0), longestWait) }
  }

  private func acquire(_ call: PoolCall, _ query: PoolQuery, _ user: PoolUsers.User?) async -> PoolReply {
    guard call.method == "POST" else { return wrongMethod(call, "/acquire") }
    let (type, state, dest, owner) = (query["type"], query["state"], query["dest"], query["owner"])
    guard ![type, state, dest, owner].contains("") else {
      return .error(
        400,
        "Bad request: Type: \(type), state: \(state), dest: \(dest), owner: \(owner), all of them must be set in the "
          + "request.")
    }
    let wait: Duration?
    do { wait = try Self.wait(query) } catch { return .error(400, "\(error)") }
    if let refusal = refusal(user, owner: owner) { return refusal }
    let request = AcquireRequest(
      type: type, state: state, destination: dest, owner: owner, requestID: query.given("request_id"),
      isIdempotent: query["idempotent"] == "true")
    let begin = surroundings.now()
    do {
      let acquired = try await keeper.acquire(request, wait: wait)
      metrics.acquired(
        request, after: surroundings.now() - (request.requestID == nil ? begin : acquired.waitingSince))
      return .success(acquired.resource.json, type: PoolReply.plain)
    } catch {
      var reply = refused(error, "Acquire failed: ")
      if reply.status == 404 { reply.retryAfter = Self.pause }
      return reply
    }
  }

  private func acquireByState(_ call: PoolCall, _ query: PoolQuery, _ user: PoolUsers.User?) async -> PoolReply {
    // The original names the other path here, and clients may look for it.
    guard call.method == "POST" else { return wrongMethod(call, "/acquire") }
    let (state, dest, owner, names) = (query["state"], query["dest"], query["owner"], query["names"])
    guard ![state, dest, owner, names].contains("") else {
      return .error(
        400,
        "state: \(state), dest: \(dest), owner: \(owner), names: \(names) - all of them must be set in the request.")
    }
    if let refusal = refusal(user, owner: owner) { return refusal }
    let wanted = Set(names.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    do {
      let resources = try await keeper.acquire(
        names: wanted, type: query.given("type"), state: state, destination: dest, owner: owner)
      var body: [UInt8] = [UInt8(ascii: "[")]
      for (index, resource) in resources.enumerated() {
        if index > 0 { body.append(UInt8(ascii: ",")) }
        resource.appendJSON(to: &body)
      }
      return .success(body + Array("]\n".utf8), type: PoolReply.plain)
    } catch {
      var reply = refused(error, "AcquireByState: ")
      if reply.status == 404 { reply.retryAfter = Self.pause }
      return reply
    }
  }

  private func release(_ call: PoolCall, _ query: PoolQuery, _ user: PoolUsers.User?) async -> PoolReply {
    guard call.method == "POST" else { return wrongMethod(call, "/release") }
    let (name, dest, owner) = (query["name"], query["dest"], query["owner"])
    guard ![name, dest, owner].contains("") else {
      return .error(
        400, "Name: \(name), dest: \(dest), owner: \(owner), all of them must be set in the request.")
    }
    if let refusal = refusal(user, owner: owner) { return refusal }
    do {
      try await keeper.release(name, type: query.given("type"), destination: dest, owner: owner)
      return .success()
    } catch {
      return refused(error, "Done failed: \(name) - \(dest) (from \(owner)): ")
    }
  }

  private func update(_ call: PoolCall, _ query: PoolQuery, _ user: PoolUsers.User?) async -> PoolReply {
    guard call.method == "POST" else { return wrongMethod(call, "/update") }
    let (name, owner, state) = (query["name"], query["owner"], query["state"])
    guard ![name, owner, state].contains("") else {
      return .error(
        400, "Name: \(name), owner: \(owner), state : \(state), all of them must be set in the request.")
    }
    if let refusal = refusal(user, owner: owner) { return refusal }
    let data: [String: String]?
    do {
      data = try UserDataBody.parse(try await call.body(Self.largestBody))
    } catch let error as DroverError where error.code == .tooLarge {
      return .error(413, error.message)
    } catch {
      return .error(400, "\(error)")
    }
    do {
      try await keeper.update(
        name, type: query.given("type"), owner: owner, state: state, destination: query.given("dest"), userData: data)
      return .success()
    } catch {
      return refused(error, "Update failed: \(name) - \(state) (\(owner)): ")
    }
  }

  private func reset(_ call: PoolCall, _ query: PoolQuery, _ user: PoolUsers.User?) async -> PoolReply {
    guard call.method == "POST" else { return wrongMethod(call, "/reset") }
    let (type, state, expire, dest) = (query["type"], query["state"], query["expire"], query["dest"])
    guard ![type, state, expire, dest].contains("") else {
      return .error(
        400,
        "Type: \(type), state: \(state), expire: \(expire), dest: \(dest), all of them must be set in the request.")
    }
    if let user, !user.mayReset { return .error(403, "user \(user.name) may not take back the leases of others") }
    let expiry: Duration
    do {
      expiry = try GoDuration.parse(expire)
    } catch {
      return .error(400, "\(error)")
    }
    do {
      let lost = try await keeper.reset(type: type, state: state, expiry: expiry, destination: dest)
      var body: [UInt8] = []
      GoText.appendJSON(lost, to: &body)
      return .success(body, type: PoolReply.plain)
    } catch {
      return refused(error, "could not reset states: ")
    }
  }

  private func metric(_ call: PoolCall, _ query: PoolQuery) async -> PoolReply {
    guard call.method == "GET" else { return .error(405, "/metric only accepts GET") }
    guard let type = query.given("type") else { return .error(400, "Type must be set in the request.") }
    do {
      return .success(try await keeper.metric(type).json, type: PoolReply.json)
    } catch {
      return refused(error, "")
    }
  }
}
