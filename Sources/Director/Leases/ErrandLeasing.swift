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
    /// See ``LeaseLine/round``; nil is 0.
    var round: Int?
  }

  private static let end = "end of leases"

  /// What is done with the leases: `begin` is called when the locks are got and before anything is done with what is in
  /// hand.
  typealias Work = (_ hand: LeasesInHand, _ begin: @escaping @Sendable () async throws -> Void) async throws -> String?

  /// Works with the leases. The result is the task's.
  func run(_ work: Work) async throws -> String? {
    guard let pools = director.engines.leases else {
      throw DirectorFailure.errand(
        "The errand leases \(Self.list(wants)), but this server has no pools: its configuration needs "
          + "'pools.resources' for pools of its own, or 'leases.url' for pools elsewhere")
    }
    func line(_ round: Int) -> LeaseLine {
      LeaseLine(director: director, context: context, pools: pools, round: round)
    }
    var round = 0
    var end = try await context.known(Self.end, as: End.self)
    while end == nil {
      // What is handed back without an end was given up, perhaps by a server that was killed before all of it was.
      if try await line(round).hasHandedBack(wants) {
        try await giveBack(line(round))
        round += 1
        continue
      }
      let reached = await reachEnd(line(round), work)
      // The server stops: the next one goes on with what is leased.
      if Task.isCancelled { throw CancellationError() }
      if var reached {
        reached.round = round
        end = try await context.once(Self.end) { [reached] in reached }
      } else {
        try await giveBack(line(round))
        round += 1
      }
    }
    guard let end else { return nil }
    try await line(end.round ?? 0).handBack(wants, isUsed: end.isUsed)
    if let failure = end.failure { throw failure.error }
    return end.result
  }

  private func giveBack(_ line: LeaseLine) async throws {
    try await line.handBack(wants, isUsed: false)
    try await director.tasks.unclaim(context.id)
  }

  private static let use = "leases in use"

  /// - Returns: nil when the leases were given up with nothing begun.
  private func reachEnd(_ line: LeaseLine, _ work: Work) async -> End? {
    let hand = LeasesInHand(cancellation: Cancellation())
    let heart = LeaseHeart(pools: line.pools, context: context, hand: hand)
    let holder = context.with(hand.cancellation)
    var isUsed = false
    do {
      isUsed = try await context.known(Self.use, as: Bool.self) ?? false
      let wasUsed = isUsed
      let result = try await heart.beating {
        try await LeaseLine(director: director, context: holder, pools: line.pools, round: line.round)
          .acquire(wants, heart.take)
        // What a killed server had begun goes on, and is ended if a lease is lost; nothing is begun without an answer.
        if wasUsed { return try await work(hand) {} }
        try await heart.confirm()
        let way = context.surroundings.task { await giveWay(hand) }
        defer { way.cancel() }
        return try await work(hand) {
          way.cancel()
          try hand.begin()
          _ = try await context.once(Self.use) { true }
        }
      }
      return End(isUsed: true, result: result)
    } catch {
      isUsed = (try? await context.known(Self.use, as: Bool.self)) ?? isUsed
      if error is TaskCancelled, hand.isGivenUp, !isUsed, hand.lost == nil, !context.cancellation.isRequested {
        return nil
      }
      guard error is TaskCancelled, let lost = hand.lost, !context.cancellation.isRequested else {
        return End(isUsed: isUsed, failure: ErrandFailure(error))
      }
      return End(
        isUsed: isUsed, failure: ErrandFailure(DirectorFailure.errand("The errand was ended, since \(lost)")))
    }
  }

  /// Looks, while the run waits for locks with leases in hand, whether whoever has those locks waits for such a lease:
  /// both would wait for ever. The one that has begun nothing goes to the end of the line.
  private func giveWay(_ hand: LeasesInHand) async {
    while true {
      do {
        try await context.surroundings.sleep(.seconds(1))
        for task in await director.tasks.inTheWay(of: context.id).sorted() {
          let others = try await director.tasks.known(task: task, RunErrand.leases, as: [ErrandLease].self) ?? []
          // What is handed back goes to whoever wants it in that state.
          for want in others where wants.contains(where: { $0.type == want.type && $0.state == want.state }) {
            guard try await LeaseLine.isInLine(task, for: want, director.tasks) else { continue }
            try await context.warn(
              "Handing back what was leased: task \(task), for whose end this one waits, needs a lease of type "
                + "'\(want.type)'")
            return hand.giveUp()
          }
        }
      } catch {
        if Task.isCancelled { return }
      }
    }
  }

  static func list(_ wants: [ErrandLease]) -> String { wants.map { "a \($0.type)" }.joined(separator: " and ") }
}
