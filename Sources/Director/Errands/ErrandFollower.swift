import Surroundings

/// Follows the output of a script beside whoever waits for its result.
actor ErrandFollower {
  private let surroundings: Surroundings
  private var task: Task<Bool, any Error>?

  init(surroundings: Surroundings) { self.surroundings = surroundings }

  func start(_ body: @escaping @Sendable () async throws -> Bool) { task = surroundings.task(body) }

  /// Waits for the end. Returns whether the agent could be read from.
  func finish() async throws -> Bool {
    guard let task else { return false }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Nobody waits for the result any more.
  func stop() async {
    task?.cancel()
    _ = await task?.result
  }
}
