import Dispatch

/// Threads for file work, so that a slow disk does not hold up the tasks of everybody else.
private let diskQueue = DispatchQueue(label: "drover.files", attributes: .concurrent)

/// Runs blocking file work apart from the threads that tasks run on.
public func onDisk<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    diskQueue.async { continuation.resume(with: Swift.Result { try work() }) }
  }
}
