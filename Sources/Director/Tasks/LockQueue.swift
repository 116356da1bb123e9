import Formats
import Surroundings

/// The locks of a server's tasks: who asks waits its turn, and knows for whom (design D8).
public actor LockQueue {
  private let surroundings: Surroundings
  private var table = LockTable()
  private var waiters: [Int: Waiter] = [:]
  /// Those whose wait was ended before it had begun.
  private var abandoned: Set<Int> = []

  private struct Waiter {
    let continuation: CheckedContinuation<Void, any Error>
    /// The holders of whom it knows that they are in its way.
    let told: Set<Int>
  }

  init(surroundings: Surroundings) { self.surroundings = surroundings }

  /// The claims that are held now.
  public var held: [LockTable.Claim] { table.held }

  /// The holders of the claims that a waiting one waits for.
  func blockers(of holder: Int) -> [Int] { table.blockers(of: holder).map(\.holder) }

  /// What a holder has been granted; nil when that is nothing.
  func granted(to holder: Int) -> [String: LockTable.Mode]? { table.granted(to: holder) }

  /// Puts claims into the queue whose holders will ask for them later: they were there before the server was restarted.
  ///
  /// - Parameters:
  ///   - held: what was held. Nobody else gets any of it before.
  ///   - additions: what some of them waited for beyond that.
  ///   - queued: of those who held nothing.
  func restore(held: [LockTable.Claim], additions: [LockTable.Claim], queued: [LockTable.Claim]) {
    for claim in held { _ = table.add(claim) }
    for claim in additions where table.granted(to: claim.holder) != nil { _ = table.add(claim) }
    for claim in queued { _ = table.add(claim) }
  }

  /// Waits until the claim is granted. One that was restored keeps its place; of a holder that has been granted something
  /// it is an addition to that.
  ///
  /// - Parameter onWait: called with the claims that are in the way, when it is not granted at once; again when others get
  ///   in its way.
  /// - Throws: `CancellationError` when it is abandoned or the server stops while it waits; the claim is gone then, but not
  ///   what the holder had been granted before.
  public func acquire(_ claim: LockTable.Claim, onWait: @Sendable ([LockTable.Claim]) async -> Void) async throws {
    try Task.checkCancellation()
    let holder = claim.holder
    // It was to wait for something else when the server was restarted.
    if table.isGranted(holder) == false, table.granted(to: holder) == nil, !table.isClaimed(claim) {
      wake(table.remove(holder: holder))
    }
    let isAhead = claim.parent != nil || table.granted(to: holder) != nil
    let isGranted = table.add(claim)
    if isAhead { tellOthers() }
    if isGranted { return }
    var told: Set<Int> = []
    while table.isGranted(holder) == false {
      let blockers = table.blockers(of: holder).filter { told.insert($0.holder).inserted }
      if !blockers.isEmpty {
        await onWait(blockers)
        continue
      }
      if abandoned.remove(holder) != nil {
        wake(table.withdraw(holder: holder))
        throw CancellationError()
      }
      try await wait(holder, told)
    }
    abandoned.remove(holder)
    if table.isGranted(holder) == nil { throw CancellationError() }
  }

  private func wait(_ holder: Int, _ told: Set<Int>) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        if Task.isCancelled {
          wake(table.withdraw(holder: holder))
          continuation.resume(throwing: CancellationError())
        } else {
          waiters[holder] = Waiter(continuation: continuation, told: told)
        }
      }
    } onCancel: {
      surroundings.task { await self.abandon(holder) }
    }
  }

  /// Gives back all that a holder has claimed, and lets the next ones in.
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
    wake(table.withdraw(holder: holder))
    waiter.continuation.resume(throwing: CancellationError())
  }

  private func wake(_ holders: [Int]) {
    for holder in holders { waiters.removeValue(forKey: holder)?.continuation.resume() }
  }

  /// Wakes those in whose way somebody else has got, so that they can say so.
  private func tellOthers() {
    for (holder, waiter) in waiters.sorted(by: { $0.key < $1.key }) {
      if table.blockers(of: holder).allSatisfy({ waiter.told.contains($0.holder) }) { continue }
      waiters.removeValue(forKey: holder)?.continuation.resume()
    }
  }
}
