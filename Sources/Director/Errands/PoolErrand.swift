import Digests
import Documents
import Formats
import FoundationEssentials
import Manifests
import Surroundings

/// An errand that works on a resource of a pool: cleans it, or builds it.
public struct PoolErrand: Sendable, Hashable {
  public var deployment: String
  public var errand: String
  /// What it works on, `clean account1 (account)`: of one such work there is one run at a time, also after a restart.
  public var subject: String
  /// Shown nowhere.
  public var environment: [String: String]
  public var timeoutSeconds: Int?
  /// Whether the script leaves an answer in the file that `DROVER_RESULT_FILE` names.
  public var wantsAnswer: Bool

  public init(
    deployment: String, errand: String, subject: String, environment: [String: String], timeoutSeconds: Int?,
    wantsAnswer: Bool
  ) {
    self.deployment = deployment
    self.errand = errand
    self.subject = subject
    self.environment = environment
    self.timeoutSeconds = timeoutSeconds
    self.wantsAnswer = wantsAnswer
  }

  /// What a script's environment has of a resource: as `drover lease` gives it to commands.
  public static func variables(of resource: LeasedResource, owner: String) -> [String: String] {
    LeasesInHand.variables("DROVER_LEASE", resource, owner: owner, resource.userData ?? [:])
  }
}

/// How such a run has ended.
public struct PoolErrandOutcome: Sendable, Hashable {
  public var task: Int
  public var succeeded: Bool
  /// `exited with 1`, or why it did not run.
  public var ending: String
  /// What was printed, of long output head and tail.
  public var output: String
  public var answer: [UInt8]?
}

/// A run for a resource of a pool whose outcome nobody has taken yet. Kind `pool-errand`, named by the digest of its
/// subject; gone when the outcome has been taken.
struct PoolErrandRecord: Codable, Sendable, Hashable {
  var task: Int
  var environment: [String: String]
  /// Base64.
  var answer: String?

  static func name(_ subject: String) -> String { DigestHasher.hex(.sha256, subject) }
}

extension Director {
  private var poolUser: String { "pools" }

  /// Runs an errand for a resource of a pool and waits for its end. A run for the same work that was begun before, by
  /// this server or by one that was killed, is found again, and waited for instead of being started twice.
  ///
  /// When the waiting task is cancelled the run goes on, and is found again.
  public func perform(_ work: PoolErrand) async throws -> PoolErrandOutcome {
    let name = PoolErrandRecord.name(work.subject)
    let id = try await task(for: work, name)
    let task = try await end(of: id)
    let answer = try await records.poolErrands.get(name)?.body.answer.flatMap { Base64.decode($0) }
    let outcome = try await outcome(of: task, answer)
    try await records.poolErrands.delete(name)
    return outcome
  }

  /// Keeps what the script of such a run answered until somebody takes it.
  func keep(_ answer: String?, of subject: String) async throws {
    let name = PoolErrandRecord.name(subject)
    guard try await records.poolErrands.get(name) != nil else { return }
    try await records.poolErrands.update(name) { $0.answer = answer }
  }

  private func task(for work: PoolErrand, _ name: String) async throws -> Int {
    while let known = try await records.poolErrands.get(name)?.body {
      guard known.environment != work.environment else {
        // It was killed between writing down and starting.
        if try await !exists(task: known.task) { try await start(work, id: known.task) }
        return known.task
      }
      // The same resource, but from other parts: what that run makes is of no use any more.
      if try await !hasEnded(task: known.task) {
        try? await tasks.cancel(known.task)
        _ = try await end(of: known.task)
      }
      try await records.poolErrands.delete(name)
    }
    let id = try await tasks.reserveID()
    try await records.poolErrands.create(name, PoolErrandRecord(task: id, environment: work.environment))
    try await start(work, id: id)
    return id
  }

  private func exists(task id: Int) async throws -> Bool {
    do {
      _ = try await tasks.task(id)
      return true
    } catch let failure as DirectorFailure where failure.number == 10000 {
      return false
    }
  }

  private func start(_ work: PoolErrand, id: Int) async throws {
    var run = ErrandRun(
      environment: work.environment, timeoutSeconds: work.timeoutSeconds, waitsForTurn: true)
    run.maskedVariables = work.environment.keys.filter { $0.contains("_DATA_") || $0 == "DROVER_LEASED" }.sorted()
    let policy = try await deployment(work.deployment).parsedManifest()?.errands.first {
      $0.name == work.errand && $0.errand == work.errand
    }
    let order = ErrandOrder(
      deployment: work.deployment, errand: work.errand, run: policy.map(run.completed) ?? run,
      poolSubject: work.subject, wantsAnswer: work.wantsAnswer)
    _ = try await tasks.start(
      TaskBoard.Order(
        type: "run_errand",
        description: "run errand \(work.errand) from deployment \(work.deployment) to \(work.subject)",
        user: poolUser, deployment: work.deployment, request: order), id: id)
  }

  private func end(of id: Int) async throws -> TaskRecord {
    while true {
      let task = try await tasks.wait(for: id)
      if task.state.isFinal { return task }
      // The director stops, and the next one goes on with it.
      try await engines.surroundings.sleep(.milliseconds(500))
    }
  }

  private func outcome(of task: TaskRecord, _ answer: [UInt8]?) async throws -> PoolErrandOutcome {
    let bytes = try await journals.read(TaskOutput.journal(task: task.id, .result), from: 0, limit: .max)
    let lines = try bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
    let codes = lines.compactMap { $0["exit_code"]?.int }
    let output = lines.map { ($0["stdout"]?.string ?? "") + ($0["stderr"]?.string ?? "") }.joined()
    let failure = lines.compactMap { $0["failure"]?.string }.first
    let isDone = task.state == .done && !codes.isEmpty
    let ending =
      if !isDone { task.result ?? task.state.rawValue } else if let failure { failure } else {
        "exited with \(codes.max() ?? 0)"
      }
    return PoolErrandOutcome(
      task: task.id, succeeded: isDone && codes.allSatisfy { $0 == 0 }, ending: "task \(task.id): \(ending)",
      output: output, answer: answer)
  }
}
