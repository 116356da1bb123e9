import Documents
import Formats
import Releases
import Surroundings

/// Leases what a run of an errand needs, holds it while the run goes on, and hands it back, each once, however often the
/// server is killed meanwhile.
///
/// The owner in the pools is made of the director, the task and the lease's name, and is nobody else's: what an answer
/// that was lost has given is found by it. What was got is written down as a checkpoint before anything is begun with it,
/// and so is the end of the work before anything is handed back; from then on nobody beats for the leases any more.
struct ErrandLeasing: Sendable {
  let director: Director
  let context: TaskContext
  /// Sorted by type and name: all errands ask in one order, so that no two wait for each other.
  let wants: [ErrandLease]

  init(_ director: Director, _ context: TaskContext, _ wants: [ErrandLease]) {
    self.director = director
    self.context = context
    self.wants = wants.sorted { ($0.type, $0.name) < ($1.type, $1.name) }
  }

  /// How the work ended, kept so that a restarted server only hands back.
  private struct End: Codable, Sendable {
    /// Whether anything may have been done with the leases.
    var isUsed: Bool
    var result: String?
    var failure: ErrandFailure?
  }

  private static let end = "end of leases"

  /// Works with the leases. The result is the task's.
  func run(_ work: (LeasesInHand) async throws -> String?) async throws -> String? {
    guard let pools = director.engines.leases else {
      throw DirectorFailure.errand(
        "The errand leases \(Self.list(wants)), but this server has no pools: its configuration needs "
          + "'pools.resources' for pools of its own, or 'leases.url' for pools elsewhere")
    }
    let line = LeaseLine(director: director, context: context, pools: pools)
    var end = try await context.known(Self.end, as: End.self)
    if end == nil {
      let reached = await reachEnd(line, work)
      // The server stops: the next one goes on with what is leased.
      if Task.isCancelled { throw CancellationError() }
      end = try await context.once(Self.end) { reached }
    }
    guard let end else { return nil }
    try await line.handBack(wants, isUsed: end.isUsed)
    if let failure = end.failure { throw failure.error }
    return end.result
  }

  private static let use = "leases in use"

  private func reachEnd(_ line: LeaseLine, _ work: (LeasesInHand) async throws -> String?) async -> End {
    let hand = LeasesInHand(cancellation: Cancellation())
    let heart = LeaseHeart(pools: line.pools, context: context, hand: hand)
    let holder = context.with(hand.cancellation)
    var isUsed = false
    do {
      isUsed = try await context.known(Self.use, as: Bool.self) ?? false
      let wasUsed = isUsed
      let result = try await heart.beating {
        try await LeaseLine(director: director, context: holder, pools: line.pools).acquire(wants, heart.take)
        // What a killed server had begun goes on, and is ended if a lease is lost; nothing is begun without an answer.
        if !wasUsed {
          try await heart.confirm()
          _ = try await context.once(Self.use) { true }
        }
        return try await work(hand)
      }
      return End(isUsed: true, result: result)
    } catch {
      isUsed = (try? await context.known(Self.use, as: Bool.self)) ?? isUsed
      guard error is TaskCancelled, let lost = hand.lost, !context.cancellation.isRequested else {
        return End(isUsed: isUsed, failure: ErrandFailure(error))
      }
      return End(
        isUsed: isUsed, failure: ErrandFailure(DirectorFailure.errand("The errand was ended, since \(lost)")))
    }
  }

  static func list(_ wants: [ErrandLease]) -> String { wants.map { "a \($0.type)" }.joined(separator: " and ") }
}
