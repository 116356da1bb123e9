import Formats
import GoConventions
public import PoolsProtocol
import Surroundings

extension PoolsClient {
  /// Leases a resource, if there is one now.
  ///
  /// - Parameters:
  ///   - requestID: keeps the caller's place in the queue from one call to the next.
  ///   - isIdempotent: the same request again gets the lease that it already got, when its answer was lost. For servers
  ///     that know it; others do what they always do.
  /// - Throws: ``PoolsClientError``; `notFound` when there is none now.
  public func acquire(
    type: String, from state: String, to destination: String, requestID: String? = nil, isIdempotent: Bool = false
  ) async throws -> PooledResource {
    var query = [("type", type), ("state", state), ("dest", destination), ("owner", owner)]
    if let requestID { query.append(("request_id", requestID)) }
    if isIdempotent { query.append(("idempotent", "true")) }
    let answer = try await askForLease("/acquire", query)
    let resource = try PooledResource(json: try JSON.parse(answer.body))
    guard !resource.name.isEmpty else { throw PoolsClientError.refused(status: 200, "unable to parse resource") }
    return resource
  }

  /// Leases all of these resources.
  public func acquire(
    names: [String], type: String? = nil, from state: String, to destination: String
  ) async throws -> [PooledResource] {
    let answer = try await askForLease(
      "/acquirebystate",
      [("names", names.joined(separator: ",")), ("state", state), ("dest", destination), ("owner", owner)]
        + Self.typed(type))
    return try (try JSON.parse(answer.body).array ?? []).map { try PooledResource(json: $0) }
  }

  /// Only for servers whose names are unique per type; others do not look at it.
  static func typed(_ type: String?) -> [(String, String)] { type.map { [("type", $0)] } ?? [] }

  private func askForLease(_ path: String, _ query: [(String, String)]) async throws -> Answer {
    func status(_ answer: Answer) -> String { "status \(Self.status(answer.status)), status code \(answer.status)" }
    let answer = try await ask("POST", path, query) { answer in
      // What the caller got wrong stays wrong.
      [200, 401, 404, 403].contains(answer.status) || (answer.status == 400 && !options.repeatsRefusals)
    } describe: { answer in
      status(answer)
    }
    switch answer.status {
    case 200: return answer
    case 401: throw PoolsClientError.alreadyInUse
    case 404:
      throw answer.text.contains("resource type \"") && answer.text.contains("\" does not exist")
        ? PoolsClientError.typeNotFound : PoolsClientError.notFound
    default:
      let words = String(answer.text.prefix { $0 != "\n" })
      throw PoolsClientError.refused(status: answer.status, words.isEmpty ? status(answer) : words)
    }
  }

  /// Waits in line until a resource is there, and leases it.
  ///
  /// Cancelling the task ends the waiting; what the server gave at that moment is handed back as it was.
  ///
  /// - Parameter timeout: nil waits until the task is cancelled.
  /// - Throws: ``PoolsClientError/notFound`` when the time has passed.
  public func acquireWaiting(
    type: String, from state: String, to destination: String, requestID: String? = nil, timeout: Duration? = nil
  ) async throws -> PooledResource {
    let id = requestID ?? surroundings.identifier()
    let begin = surroundings.elapsed()
    while true {
      do {
        return try await withoutLosing(type, state, destination, id)
      } catch let error as PoolsClientError where [.notFound, .typeNotFound, .alreadyInUse].contains(error) {
        let rest = timeout.map { $0 - (surroundings.elapsed() - begin) } ?? options.pollInterval
        guard rest > .zero else { throw error == .typeNotFound ? PoolsClientError.notFound : error }
        try await surroundings.sleep(min(rest, options.pollInterval))
      }
    }
  }

  /// Asks once. Who cancels does not know whether the server has given something already: so the answer is awaited for
  /// a moment even then.
  private func withoutLosing(
    _ type: String, _ state: String, _ destination: String, _ id: String
  ) async throws -> PooledResource {
    try Task.checkCancellation()
    let asking = Task {
      try await acquire(type: type, from: state, to: destination, requestID: id, isIdempotent: true)
    }
    return try await withTaskCancellationHandler {
      let resource = try await asking.value
      guard Task.isCancelled else { return resource }
      let handingBack = Task { try await release(resource.name, type: resource.type, to: state) }
      try await handingBack.value
      throw CancellationError()
    } onCancel: {
      Task {
        try? await surroundings.sleep(Self.lastAnswer)
        asking.cancel()
      }
    }
  }

  /// How long the answer to a question is awaited that nobody wants any more.
  private static let lastAnswer = Duration.seconds(2)

  private func tell(
    _ path: String, _ query: [(String, String)], body: [UInt8]? = nil, method: String = "POST",
    _ describe: (Answer) -> String
  ) async throws -> Answer {
    let answer = try await ask(
      method, path, query, body: body,
      isFinal: { $0.status == 200 || (!options.repeatsRefusals && (400..<500).contains($0.status)) },
      describe: describe)
    guard answer.status == 200 else {
      throw PoolsClientError.refused(
        status: answer.status, "\(describe(answer)): \(answer.text.split(separator: "\n").first ?? "")")
    }
    return answer
  }

  /// Hands a resource back.
  public func release(_ name: String, type: String? = nil, to destination: String) async throws {
    _ = try await tell(
      "/release", [("name", name), ("dest", destination), ("owner", owner)] + Self.typed(type)
    ) { answer in
      "status \(Self.status(answer.status)), statusCode \(answer.status) releasing \(name)"
    }
  }

  /// Says that the caller still holds a resource, and lays new user data over the old; an empty value deletes its key.
  public func update(
    _ name: String, type: String? = nil, state: String, userData: [String: String]? = nil
  ) async throws {
    var body: [UInt8]?
    if let userData {
      var bytes: [UInt8] = []
      GoText.appendJSON(userData, to: &bytes)
      body = bytes + [UInt8(ascii: "\n")]
    }
    _ = try await tell(
      "/update", [("name", name), ("owner", owner), ("state", state)] + Self.typed(type), body: body
    ) { answer in
      "status \(Self.status(answer.status)), status code \(answer.status) updating \(name)"
    }
  }

  /// Takes back what was silent for so long; who held what, by the resources' names.
  public func reset(
    type: String, state: String, expiry: Duration, to destination: String
  ) async throws -> [String: String] {
    let answer = try await tell(
      "/reset", [("type", type), ("state", state), ("expire", GoDuration.text(expiry)), ("dest", destination)],
      Self.plain)
    return (try JSON.parse(answer.body).object ?? ValueObject()).reduce(into: [:]) {
      $0[$1.key] = $1.value.string ?? ""
    }
  }

  /// How many resources of the type are in which state and with which owner.
  public func metric(_ type: String) async throws -> PoolMetric {
    let answer = try await tell("/metric", [("type", type)], method: "GET", Self.plain)
    return try PoolMetric(json: try JSON.parse(answer.body))
  }

  private static func plain(_ answer: Answer) -> String {
    "status \(status(answer.status)), status code \(answer.status)"
  }
}
