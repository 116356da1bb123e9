import FoundationEssentials

/// A task: everything long that the director does. Kind `task`, named by its id padded to ten digits.
///
/// ``request`` is all that its work is started from, so that a restarted server starts it again; what has been decided on
/// the way is kept in its checkpoints (see ``TaskContext/once(_:_:)``).
public struct TaskRecord: Codable, Sendable, Hashable {
  /// The states of a task, as the director's API names them (reference/director.md A.2).
  public enum State: String, Codable, Sendable, Hashable, CaseIterable {
    case queued, processing, cancelling, done, error, cancelled, timeout

    /// The states of tasks that have not ended.
    static let unfinished = Set(allCases.filter { !$0.isFinal })

    /// Whether a task in this state will never change again.
    public var isFinal: Bool {
      switch self {
      case .queued, .processing, .cancelling: false
      case .done, .error, .cancelled, .timeout: true
      }
    }
  }

  public var id: Int
  /// The kind of work: `update_deployment`, `run_errand`, …
  public var type: String
  public var description: String
  public var state: State
  public var user: String
  public var deployment: String?
  public var contextID: String
  /// Seconds since 1970.
  public var createdAt: Int
  public var startedAt: Int?
  public var finishedAt: Int?
  /// A short text: what came of it, or the error.
  public var result: String?
  /// What it was asked to do, as JSON text.
  public var request: String
  /// The locks that it holds or waits for, so that it has them again before anybody else after a restart.
  public var locks: [String: LockTable.Mode]?
  /// What it waits for beyond the locks that it holds.
  public var awaitedLocks: [String: LockTable.Mode]?
  /// The task that started it.
  public var parent: Int?
  /// Whether the parent waits for it, so that it ends when somebody ends the parent.
  public var isAwaited: Bool?
  /// Why it was started, when nobody asked for it.
  public var cause: TaskCause?

  public init(
    id: Int, type: String, description: String, state: State = .queued, user: String, deployment: String? = nil,
    contextID: String = "", createdAt: Int, request: String
  ) {
    self.id = id
    self.type = type
    self.description = description
    self.state = state
    self.user = user
    self.deployment = deployment
    self.contextID = contextID
    self.createdAt = createdAt
    self.request = request
  }

  /// The name of the document of the task with this id.
  public static func documentName(_ id: Int) -> String {
    let digits = String(id)
    return String(repeating: "0", count: max(0, 10 - digits.count)) + digits
  }
}

extension TaskRecord {
  /// The request, decoded.
  func request<Request: Decodable>(as type: Request.Type) throws -> Request {
    try JSONDecoder().decode(type, from: Data(request.utf8))
  }

  /// A claim of it; nil for nothing.
  func claim(_ resources: [String: LockTable.Mode]?) -> LockTable.Claim? {
    resources.map { LockTable.Claim(holder: id, purpose: description, resources: $0, parent: parent) }
  }
}
