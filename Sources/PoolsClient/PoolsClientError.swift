public import PoolsProtocol

/// Why a call of a client did not do what it was to do.
public enum PoolsClientError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Somebody else holds it.
  case alreadyInUse
  /// There is none now.
  case notFound
  /// There is no such type at all: waiting will not help.
  case typeNotFound
  /// The server refused: its status, and what it said.
  case refused(status: Int, String)
  /// The server wants a user, or does not know this one with this password.
  case notLetIn(String, user: String?)
  /// The server could not be asked.
  case unreachable(String)
  /// Several attempts failed, each with its own text.
  case failed([String])
  /// The lease was lost: somebody took it back.
  case leaseLost(name: String, String)

  public var description: String {
    switch self {
    case .alreadyInUse: "resources already used by another user"
    case .notFound: "resources not found"
    case .typeNotFound: "resource type not found"
    case .refused(_, let text), .unreachable(let text): text
    case .notLetIn(let server, nil): "the server at \(server) wants a user and a password"
    case .notLetIn(let server, let user?): "the server at \(server) does not let user '\(user)' in with this password"
    case .failed(let texts): texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    case .leaseLost(let name, let text): "the lease of \(name) was lost: \(text)"
    }
  }

  /// Whether nothing but another user or password helps.
  public var isPassword: Bool {
    if case .notLetIn = self { true } else { false }
  }

  /// Whether the server says that the caller does not hold the resource (any more).
  public var isRefusal: Bool {
    switch self {
    case .refused(let status, _): [401, 404, 409].contains(status)
    case .leaseLost: true
    default: false
    }
  }

  /// What this answer to a heartbeat means: the loss of the lease when the server says that the caller does not hold it;
  /// nil when all one knows is that it could not be told.
  public func loss(of lease: PooledResource) -> PoolsClientError? {
    isRefusal ? .leaseLost(name: lease.name, "\(self)") : nil
  }
}
