import Documents
import Sealing
import Surroundings
import Synchronization

@testable import Director
@testable import Server

/// Blows at a deed: whoever does something then, or later, never hears of it again. The deed itself is done or not.
final class Fuse: Sendable {
  struct Blown: Error {}
  private enum Way { case go, goAndDie, die }

  private struct State {
    var deeds: Int?
    var isLastDone = false
    var isBlown = false
    var isReleased = false
  }

  private let state = Mutex(State())
  var isBlown: Bool { state.withLock { $0.isBlown } }

  func arm(deeds: Int, isLastDone: Bool) {
    state.withLock { $0 = State(deeds: deeds, isLastDone: isLastDone) }
  }

  /// Lets go of those who wait: they fail, and nothing more is done.
  func release() {
    state.withLock {
      $0.isBlown = true
      $0.isReleased = true
    }
  }

  /// - Parameter counts: whether it is a deed; looking at something is none.
  func pass<Result: Sendable>(counts: Bool = true, _ deed: () async throws -> Result) async throws -> Result {
    let way = state.withLock { state -> Way in
      if state.isBlown { return .die }
      guard counts, let deeds = state.deeds else { return .go }
      state.deeds = deeds - 1
      guard deeds == 1 else { return .go }
      state.isBlown = true
      return state.isLastDone ? .goAndDie : .die
    }
    switch way {
    case .go: return try await deed()
    case .goAndDie: _ = try await deed()
    case .die: break
    }
    while !state.withLock({ $0.isReleased }) { try? await Task.sleep(for: .milliseconds(1)) }
    throw Blown()
  }
}

/// A store as a server sees it that dies.
struct FusedStore: DocumentStore {
  let store: any DocumentStore
  let fuse: Fuse
  var seal: SealKeys? { store.seal }

  func get(_ kind: String, _ name: String) async throws -> Document? { try await store.get(kind, name) }
  func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    try await store.list(kind, prefix: prefix)
  }
  func commit(_ writes: [Write]) async throws -> Int64 { try await fuse.pass { try await store.commit(writes) } }
  func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges { store.watch(kinds, from: revision) }
  func revision() async throws -> Int64 { try await store.revision() }
  func close() async throws {}
}

/// What directors keep of runs for pools; it outlives all of them.
final class RememberedRuns: Sendable {
  struct Run {
    var work: PoolErrand
    var task: Int
    var begun: ContinuousClock.Instant
    var isCancelled = false
  }

  private struct State {
    var runs: [String: Run] = [:]
    var begun: [PoolErrand] = []
    var cancelled: [String] = []
    var obstacle: String?
  }

  private let state = Mutex(State())
  /// How long runs take.
  let length: Duration
  /// Which of them fail, by their numbers from 1.
  let failing: Set<Int>

  init(length: Duration = .milliseconds(3), failing: Set<Int> = []) {
    self.length = length
    self.failing = failing
  }

  /// All that ever began, the first first.
  var begun: [PoolErrand] { state.withLock { $0.begun } }
  var cancelled: [String] { state.withLock { $0.cancelled } }
  var leases: Set<String> { state.withLock { Set($0.runs.keys) } }
  var obstacle: String? {
    get { state.withLock { $0.obstacle } }
    set { state.withLock { $0.obstacle = newValue } }
  }

  func find(_ lease: String) -> Run? { state.withLock { $0.runs[lease] } }
  func begin(_ work: PoolErrand) {
    state.withLock {
      $0.begun.append(work)
      $0.runs[work.lease] = Run(work: work, task: $0.begun.count, begun: .now)
    }
  }
  func cancel(_ lease: String) {
    state.withLock {
      guard $0.runs[lease] != nil else { return }
      $0.runs[lease]?.isCancelled = true
      $0.cancelled.append(lease)
    }
  }
  func forget(_ lease: String) { state.withLock { $0.runs[lease] = nil } }

  func outcome(_ run: Run) -> PoolErrandOutcome? {
    let task = run.task
    if run.isCancelled { return PoolErrandOutcome(task: task, succeeded: false, ending: "task \(task): cancelled") }
    guard ContinuousClock.now - run.begun >= length else { return nil }
    if failing.contains(task) {
      return PoolErrandOutcome(task: task, succeeded: false, ending: "task \(task): exited with 1", output: "no way\n")
    }
    return PoolErrandOutcome(
      task: task, succeeded: true, ending: "task \(task): exited with 0", output: "done\n",
      answer: run.work.wantsAnswer ? Array(#"{"id": "42"}"#.utf8) : nil)
  }
}

/// A director that only runs errands for pools, and may die.
struct FusedRunner: PoolErrandRunner {
  let runs: RememberedRuns
  let fuse: Fuse

  func obstacle(toErrand errand: String, in deployment: String) async -> String? { runs.obstacle }

  func perform(_ work: PoolErrand) async throws -> PoolErrandOutcome {
    if runs.find(work.lease) == nil {
      if let obstacle = runs.obstacle { throw PoolErrandObstacle(obstacle) }
      try await fuse.pass { runs.begin(work) }
    }
    while true {
      let outcome = try await fuse.pass(counts: false) { runs.find(work.lease).map(runs.outcome) }
      guard let outcome else { return PoolErrandOutcome(task: 0, succeeded: false, ending: "not known any more") }
      if let outcome { return outcome }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  func poolErrandLeases(prefix: String) async throws -> Set<String> {
    try await fuse.pass(counts: false) { runs.leases.filter { $0.hasPrefix(prefix) } }
  }
  func forgetPoolErrand(_ lease: String) async throws { try await fuse.pass { runs.forget(lease) } }
  func abandonPoolErrand(_ lease: String) async throws {
    try await fuse.pass { runs.cancel(lease) }
    try await fuse.pass { runs.forget(lease) }
  }
}
