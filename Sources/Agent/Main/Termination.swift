import Surroundings

/// The one way in which the agent ends: whoever wants that says so here, and the first one's exit code counts.
public final class Termination: Sendable {
  private let promise = Promise<Int32>()

  public init() {}

  /// The exit code, once somebody wants the agent to end.
  var code: Int32? { promise.known }

  public func end(_ code: Int32) { promise.fulfil(code) }

  /// Returns the exit code once somebody wants the agent to end.
  public func wait() async -> Int32 { await promise.value() }

  /// Does what may take for ever.
  ///
  /// - Returns: nil when the agent is to end meanwhile; the work is cancelled then.
  func unlessEnded<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result? {
    let working = Task { try await work() }
    Task {
      _ = await wait()
      working.cancel()
    }
    do {
      return try await working.value
    } catch  where code != nil {
      return nil
    }
  }
}
