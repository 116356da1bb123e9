import Formats
import Surroundings
import Synchronization

/// Tells the pools that leases are still held, each from the moment on in which it was got, and notices when one is not
/// (any more).
///
/// Beats of those who lease from elsewhere (`PoolsClient.beat`) end by the server's word alone. These begin at once, since
/// nothing runs before the pools have confirmed what an earlier server got; and when the pools have not been heard for as
/// long as a lease lasts, it counts as lost, since the script may be on somebody else's resource by then.
final class LeaseHeart: Sendable {
  private struct Beating {
    var task: Task<Void, Never>
    /// Set once the pools have said that it is held, or it was lost.
    var answered: EndSignal
  }

  let hand: LeasesInHand
  private let pools: any ResourceLeases
  private let context: TaskContext
  private let all = Mutex<[Beating]>([])

  init(pools: any ResourceLeases, context: TaskContext, hand: LeasesInHand) {
    self.pools = pools
    self.context = context
    self.hand = hand
  }

  /// Runs a body, and beats until its end for the leases that it takes. The wish to end the task reaches the hand, too.
  func beating<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    let outcome: Swift.Result<Result, any Error>
    do {
      outcome = .success(
        try await context.cancellation.whileWatched({ [hand] in hand.cancellation.request() }, body))
    } catch {
      outcome = .failure(error)
    }
    let hearts = all.withLock { $0 }
    for heart in hearts { heart.task.cancel() }
    for heart in hearts { await heart.task.value }
    return try outcome.get()
  }

  /// Takes a lease into the hand and beats for it from now on.
  func take(_ lease: LeasesInHand.Lease) {
    hand.add(lease)
    let answered = EndSignal()
    let task = context.surroundings.task { () async -> Void in
      await self.beat(lease, answered)
      answered.set()
    }
    all.withLock { $0.append(Beating(task: task, answered: answered)) }
  }

  /// Waits until the pools have answered for all leases.
  ///
  /// - Throws: ``TaskCancelled`` when one of them was lost, or somebody wants the task's end.
  func confirm() async throws {
    for heart in all.withLock({ $0 }) { await heart.answered.wait() }
    try hand.cancellation.check()
  }

  private func beat(_ lease: LeasesInHand.Lease, _ answered: EndSignal) async {
    let surroundings = context.surroundings
    let resource = lease.resource
    var heardAt = surroundings.elapsed()
    var isSilent = false
    let name = "\(resource.type) '\(resource.name)'"
    while !Task.isCancelled {
      let expiry = await pools.expiry(of: resource.type, in: resource.state)
      do {
        try await pools.beat(resource, owner: lease.owner)
        heardAt = surroundings.elapsed()
        answered.set()
        if isSilent { try? await context.warn("The pools can be reached again; \(name) is still leased") }
        isSilent = false
      } catch let LeaseFault.notHeld(text) {
        // Boskos's text ends with the owner, who may be nobody.
        return await lose("the lease of \(name) was lost: \(text)\(text.hasSuffix("owned by ") ? "nobody" : "")")
      } catch let LeaseFault.typeUnknown(known) where known.isEmpty || !known.contains(resource.type) {
        return await lose("the lease of \(name) was lost: there is no such type any more")
      } catch {
        if Task.isCancelled { return }
        let silence = surroundings.elapsed() - heardAt
        if let expiry, silence >= expiry {
          return await lose(
            "the lease of \(name) may be somebody else's now: the pools could not be told for \(silence.shortText) "
              + "that it is held: \(error)")
        }
        if !isSilent {
          try? await context.warn("The pools cannot be told that \(name) is still leased; trying again: \(error)")
        }
        isSilent = true
      }
      do {
        let pause = Self.pause(expiry)
        try await surroundings.sleep(isSilent ? min(pause, .seconds(5)) : pause)
      } catch {
        return
      }
    }
  }

  /// Between two beats: several fit into the time after which a lease is taken back.
  static func pause(_ expiry: Duration?) -> Duration { min(.seconds(30), (expiry ?? .seconds(120)) / 4) }

  private func lose(_ text: String) async {
    guard hand.lose(text) else { return }
    try? await context.warn("\(text.prefix(1).uppercased())\(text.dropFirst()); the errand is ended")
  }
}
