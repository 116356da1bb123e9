import Formats
import Surroundings

/// Tells the pools that leases are still held, and notices when one is not (any more).
struct LeaseHeart: Sendable {
  let pools: any ResourceLeases
  let context: TaskContext

  /// Runs a body and beats for its leases meanwhile. The wish to end the task reaches the body's leases too.
  func beating<Result: Sendable>(
    for hand: LeasesInHand, _ body: () async throws -> Result
  ) async throws -> Result {
    let surroundings = context.surroundings
    let hearts = hand.leases.map { lease in
      surroundings.task { () async -> Void in await beat(lease, hand) }
    }
    let outcome: Swift.Result<Result, any Error>
    do {
      outcome = .success(try await context.cancellation.whileWatched({ hand.cancellation.request() }, body))
    } catch {
      outcome = .failure(error)
    }
    for heart in hearts { heart.cancel() }
    for heart in hearts { await heart.value }
    return try outcome.get()
  }

  private func beat(_ lease: LeasesInHand.Lease, _ hand: LeasesInHand) async {
    let surroundings = context.surroundings
    var heardAt = surroundings.elapsed()
    var isSilent = false
    let name = "\(lease.resource.type) '\(lease.resource.name)'"
    while !Task.isCancelled {
      do {
        try await pools.beat(lease.resource, owner: lease.owner)
        heardAt = surroundings.elapsed()
        if isSilent { try? await context.warn("The pools can be reached again; \(name) is still leased") }
        isSilent = false
      } catch let LeaseFault.notHeld(text) {
        return await lose("the lease of \(name) was lost: \(text)", hand)
      } catch let LeaseFault.typeUnknown(known) where known.isEmpty || !known.contains(lease.resource.type) {
        return await lose("the lease of \(name) was lost: there is no such type any more", hand)
      } catch {
        if Task.isCancelled { return }
        let silence = surroundings.elapsed() - heardAt
        if let expiry = pools.expiry, silence >= expiry {
          return await lose(
            "the lease of \(name) may be somebody else's now: the pools could not be told for \(silence.shortText) "
              + "that it is held: \(error)", hand)
        }
        if !isSilent {
          try? await context.warn("The pools cannot be told that \(name) is still leased; trying again: \(error)")
        }
        isSilent = true
      }
      do {
        try await surroundings.sleep(isSilent ? min(pools.heartbeat, .seconds(5)) : pools.heartbeat)
      } catch {
        return
      }
    }
  }

  private func lose(_ text: String, _ hand: LeasesInHand) async {
    guard hand.lose(text) else { return }
    try? await context.warn("\(text.prefix(1).uppercased())\(text.dropFirst()); the errand is ended")
  }
}
