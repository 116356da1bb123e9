import Documents
import FoundationEssentials
public import Surroundings

/// What the work of a task is given: its request, its output, its checkpoints, its locks and the wish to end it.
public struct TaskContext: Sendable {
  public let id: Int
  /// Who asked for it.
  public let user: String
  public let description: String
  /// What it was asked to do, as JSON text.
  public let request: String
  /// The task that started it, under whose locks it runs.
  let parent: Int?
  /// Why it was started, when nobody asked for it.
  let cause: TaskCause?
  public let output: TaskOutput
  public let cancellation: Cancellation
  public let surroundings: Surroundings
  /// Whether it had its locks already when the server was restarted: there may be something to tidy up.
  let hasBegun: Bool
  let board: TaskBoard

  /// The request, decoded.
  public func request<Request: Decodable>(as type: Request.Type) throws -> Request {
    try JSONDecoder().decode(type, from: Data(request.utf8))
  }

  /// The same task for work that is done also when somebody has asked for its end: tidying up.
  var withoutCancellation: TaskContext { with(Cancellation()) }

  /// The same task for work that ends by another wish.
  func with(_ cancellation: Cancellation) -> TaskContext {
    TaskContext(
      id: id, user: user, description: description, request: request, parent: parent, cause: cause, output: output,
      cancellation: cancellation, surroundings: surroundings, hasBegun: hasBegun, board: board)
  }

  /// A stage with that many steps.
  public func stage(_ name: String, tags: [String] = [], total: Int) -> TaskStage {
    TaskStage(name: name, tags: tags, total: total, output: output)
  }

  /// A warning in the event output.
  public func warn(_ message: String) async throws {
    try await output.event { TaskEvent.warning(message, at: $0) }
  }

  /// Computes a value once in the life of the task: after a restart of the server, what was found then is used again.
  ///
  /// Everything that a task decides from things that others may change meanwhile (versions, configurations, chosen ids)
  /// goes through here, so that a task that is taken up again goes on with the same decisions.
  public func once<Result: Codable & Sendable>(
    _ name: String, _ compute: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await board.once(task: id, name, compute)
  }

  /// What ``once(_:_:)`` has computed before; nil when it has not.
  func known<Result: Codable & Sendable>(_ name: String, as type: Result.Type) async throws -> Result? {
    try await board.known(task: id, name, as: type)
  }

  /// Runs `body` while holding the locks that `claims` names. When what they were decided from has changed while the task
  /// waited for them, all is decided again.
  ///
  /// - Parameter first: what was decided a moment ago; nil to begin with deciding.
  func locked<Subject: Sendable, Result: Sendable>(
    deciding subject: @Sendable () async throws -> Subject, beginningWith first: Subject? = nil,
    claims: @Sendable (Subject) -> [String: LockTable.Mode],
    _ body: @Sendable (Subject) async throws -> Result
  ) async throws -> Result {
    var first = first
    while true {
      let before = if let first { first } else { try await subject() }
      first = nil
      let wanted = claims(before)
      let result = try await locked(wanted) { () -> Result? in
        let current = try await subject()
        let needed = claims(current)
        guard needed.allSatisfy({ wanted[$0.key] == $0.value }) else { return nil }
        return try await body(current)
      }
      if let result { return result }
    }
  }

  /// Runs `body` while holding these locks; waits its turn, visibly (design D8).
  public func locked<Result: Sendable>(
    _ resources: [String: LockTable.Mode], _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await board.acquire(self, resources)
    do {
      let result = try await body()
      await board.release(id)
      return result
    } catch {
      await board.release(id)
      throw error
    }
  }

  /// Claims more within the body of ``locked(_:_:)``, which holds what it has meanwhile, and all of it to its end. Waits
  /// visibly, before all who wait for this task.
  ///
  /// Only for tasks whose first claim nobody can have at the same time who claims such things (see ``LockTable``).
  ///
  /// - Throws: ``TaskCancelled`` when somebody ends the task meanwhile, with nothing changed.
  func extendLocks(_ more: [String: LockTable.Mode]) async throws { try await board.extend(self, more) }

  /// What the task holds, also what it was given again after a restart; nil when that is nothing.
  var heldLocks: [String: LockTable.Mode]? { get async { await board.heldLocks(of: id) } }
}
