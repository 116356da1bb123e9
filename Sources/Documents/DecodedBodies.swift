import Synchronization

/// Values that were decoded lately, by the name and the revision of their documents: what has not been changed since is not
/// decoded again. A revision belongs to one text for ever, so nothing here can be out of date.
final class DecodedBodies<Body: Sendable>: Sendable {
  private let limit: Int
  private let bodies = Mutex<[String: (revision: Int64, body: Body)]>([:])

  /// - Parameter limit: how many are kept; one more, and all are let go, with those of documents that are gone.
  init(limit: Int) { self.limit = limit }

  /// The value of a document; decoded when it is not known.
  func body(_ name: String, _ revision: Int64, orDecode decode: () throws -> Body) rethrows -> Body {
    if let known = bodies.withLock({ $0[name] }), known.revision == revision { return known.body }
    let body = try decode()
    bodies.withLock { bodies in
      if bodies[name] == nil, bodies.count >= limit { bodies = [:] }
      bodies[name] = (revision, body)
    }
    return body
  }
}
