public import PoolsProtocol
import Surroundings

extension PoolsClient {
  /// How a lease is taken, held and handed back.
  public struct LeaseTerms: Sendable {
    public var from: String
    public var to: String
    /// The state that it is handed back in, however the work ends.
    public var back: String
    /// How long to wait in line; nil waits for ever.
    public var wait: Duration?
    /// How often the server is told that it is still held.
    public var heartbeat: Duration

    public init(
      from: String = ResourceState.free, to: String = ResourceState.busy, back: String = ResourceState.dirty,
      wait: Duration? = nil, heartbeat: Duration = .seconds(30)
    ) {
      self.from = from
      self.to = to
      self.back = back
      self.wait = wait
      self.heartbeat = heartbeat
    }
  }

}

private enum Event<Result: Sendable>: Sendable {
  case done(Result)
  case beatEnded
}

extension PoolsAccess {
  /// Leases a resource for as long as the work takes: waits in line, sends heartbeats meanwhile, and hands it back
  /// dirty at the end, whatever the end is.
  ///
  /// When the lease is lost the work's task is cancelled.
  ///
  /// - Throws: what the work throws; ``PoolsClientError/leaseLost(name:_:)`` when the lease was lost.
  public func withLease<Result: Sendable>(
    type: String, terms: PoolsClient.LeaseTerms = .init(),
    _ work: @escaping @Sendable (PooledResource) async throws -> Result
  ) async throws -> Result {
    let lease = try await acquireWaiting(
      type: type, from: terms.from, to: terms.to, requestID: nil, timeout: terms.wait)
    let outcome: Swift.Result<Result, any Error>
    do {
      outcome = .success(try await hold(lease, terms, work))
    } catch {
      outcome = .failure(error)
    }
    var isLost = false
    if case .failure(let error as PoolsClientError) = outcome, case .leaseLost = error { isLost = true }
    // Also when this task is cancelled: a task of its own.
    let handingBack = Task { try await release(lease, to: terms.back) }
    do {
      try await handingBack.value
    } catch {
      if !isLost, case .success = outcome { throw error }
    }
    return try outcome.get()
  }

  private func hold<Result: Sendable>(
    _ lease: PooledResource, _ terms: PoolsClient.LeaseTerms,
    _ work: @escaping @Sendable (PooledResource) async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Event<Result>.self) { group in
      group.addTask { .done(try await work(lease)) }
      group.addTask {
        try await beat(lease, terms.heartbeat)
        return .beatEnded
      }
      defer { group.cancelAll() }
      while let event = try await group.next() {
        if case .done(let result) = event { return result }
      }
      throw CancellationError()
    }
  }

  /// Sends heartbeats until the task is cancelled. A server that cannot be reached does not end it: only its word does.
  ///
  /// - Throws: ``PoolsClientError/leaseLost(name:_:)`` when the server says that the caller does not hold it.
  public func beat(_ lease: PooledResource, _ interval: Duration) async throws {
    while !Task.isCancelled {
      do { try await surroundings.sleep(interval) } catch { return }
      do {
        try await update(lease)
      } catch let error as PoolsClientError {
        if let loss = error.loss(of: lease) { throw loss }
      } catch is CancellationError {
        return
      }
    }
  }
}
