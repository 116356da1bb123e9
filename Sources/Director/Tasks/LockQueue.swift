import Formats
import Surroundings

/// The locks of a server's tasks: who asks waits its turn, and knows for whom (design D8).
public actor LockQueue {
  private let surroundings: Surroundings
  private var table = LockTable()
  private var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
  /// Those whose wait was ended before it had begun.
  private var abandoned: Set<Int> = []

  init(surroundings: Surroundings) { self.surroundings = surroundings }

  /// The claims that are held now.
  public var held: [LockTable.Claim] { table.held }

  /// The holders of the claims that a waiting one waits for.
  func blockers(of holder: Int) -> [Int] { table.blockers(of: holder).map(\.holder) }

  /// Puts a claim into the queue whose holder will ask for it later: it was there before the server was restarted.
  public func restore(_ claim: LockTable.Claim) { _ = table.add(claim) }

  /// Waits until the claim is granted. One that was restored keeps its place.
  ///
  /// - Parameter onWait: called once, with the claims that are in the way, when it is not granted at once.
  /// - Throws: `CancellationError` when it is abandoned or the server stops while it waits; the claim is gone then.
  public func acquire(_ claim: LockTable.Claim, onWait: @Sendable ([LockTable.Claim]) async -> Void) async throws {
    try Task.checkCancellation()
    if table.isGranted(claim.holder) ?? table.add(claim) { return }
    await onWait(table.blockers(of: claim.holder))
    if table.isGranted(claim.holder) == true { return }
    if abandoned.remove(claim.holder) != nil {
      wake(table.remove(holder: claim.holder))
      throw CancellationError()
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        if Task.isCancelled {
          wake(table.remove(holder: claim.holder))
          continuation.resume(throwing: CancellationError())
        } else {
          waiters[claim.holder] = continuation
        }
      }
    } onCancel: {
      surroundings.task { await self.abandon(claim.holder) }
    }
  }

  /// Gives a holder's claim back and lets the next ones in.
  public func release(holder: Int) {
    abandoned.remove(holder)
    wake(table.remove(holder: holder))
  }

  /// Ends a holder's wait: its `acquire` throws. Does nothing when it is not waiting.
  public func abandon(_ holder: Int) {
    guard let waiter = waiters.removeValue(forKey: holder) else {
      if table.isGranted(holder) == false { abandoned.insert(holder) }
      return
    }
    wake(table.remove(holder: holder))
    waiter.resume(throwing: CancellationError())
  }

  private func wake(_ holders: [Int]) {
    for holder in holders { waiters.removeValue(forKey: holder)?.resume() }
  }
}
