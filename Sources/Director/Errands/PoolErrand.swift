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
  /// What it works on, `clean account1 (account)`: of one such work there is one run at a time.
  public var subject: String
  /// Which lease of that it works for: a lease has one run, whose outcome counts for that lease and no other.
  public var lease: String
  /// For the script; none leaves them to the manifest.
  public var arguments: [String]
  /// Shown nowhere where ``secret`` names it.
  public var environment: [String: String]
  /// Variables of the environment whose values nobody is shown.
  public var secret: Set<String>
  public var timeoutSeconds: Int?
  /// Whether the script leaves an answer in the file that `DROVER_RESULT_FILE` names.
  public var wantsAnswer: Bool

  public init(
    deployment: String, errand: String, subject: String, lease: String, arguments: [String] = [],
    environment: [String: String], secret: Set<String> = [], timeoutSeconds: Int? = nil, wantsAnswer: Bool
  ) {
    self.deployment = deployment
    self.errand = errand
    self.subject = subject
    self.lease = lease
    self.arguments = arguments
    self.environment = environment
    self.secret = secret
    self.timeoutSeconds = timeoutSeconds
    self.wantsAnswer = wantsAnswer
  }

  /// What a script's environment has of a resource: as `drover lease` gives it to commands.
  public static func variables(
    of resource: LeasedResource, owner: String, prefix: String = "DROVER_LEASE"
  ) -> [String: String] {
    LeasesInHand.variables(prefix, resource, owner: owner, resource.userData ?? [:])
  }
}

/// How such a run has ended.
public struct PoolErrandOutcome: Sendable, Hashable {
  public var task: Int
  public var succeeded: Bool
  /// `task 12: exited with 1`, or why it did not run.
  public var ending: String
  /// What was printed, of long output head and tail.
  public var output: String
  public var answer: [UInt8]?

  public init(task: Int, succeeded: Bool, ending: String, output: String = "", answer: [UInt8]? = nil) {
    self.task = task
    self.succeeded = succeeded
    self.ending = ending
    self.output = output
    self.answer = answer
  }
}

/// Why an errand for a pool cannot be begun: the deployment or the errand is not there (yet).
public struct PoolErrandObstacle: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// A run for a lease of a pool. Kind `pool-errand`, named by the digest of the lease; gone when what was leased has been
/// handed back.
struct PoolErrandRecord: Codable, Sendable, Hashable {
  var task: Int
  var subject: String
  var lease: String
  /// Base64.
  var answer: String?

  static func name(_ lease: String) -> String { DigestHasher.hex(.sha256, lease) }
}

extension Director {
  private var poolUser: String { "pools" }

  /// Why an errand for a pool cannot be begun; nil when it can.
  public func obstacle(toErrand errand: String, in name: String) async -> String? {
    do {
      let deployment = try await deployment(name)
      guard let manifest = try await variables.manifest(of: deployment) else {
        return "Deployment '\(name)' was never deployed to its end: deploy it before running its errands"
      }
      _ = try await storedResolution(deployment, manifest).errand(errand)
      return nil
    } catch is CancellationError {
      return nil
    } catch {
      return "Errand '\(errand)' of deployment '\(name)': \(DirectorFailure.describing(error).description)"
    }
  }

  /// Runs an errand for a lease of a pool and waits for its end. A run for the same lease that was begun before, by this
  /// server or by one that was killed, is found again, and waited for instead of being started twice. A run for the same
  /// subject whose lease is another one is ended before.
  ///
  /// When the waiting task is cancelled the run goes on, and is found again.
  ///
  /// - Throws: ``PoolErrandObstacle`` when there is nothing to run, and then nothing was begun; `CancellationError`.
  public func perform(_ work: PoolErrand) async throws -> PoolErrandOutcome {
    let id = try await task(for: work)
    guard let task = try await end(of: id) else {
      return PoolErrandOutcome(task: id, succeeded: false, ending: "task \(id): nothing is known of it any more")
    }
    let record = try await records.poolErrands.get(PoolErrandRecord.name(work.lease))?.body
    return try await outcome(of: task, record?.answer.flatMap { Base64.decode($0) })
  }

  /// Leases whose runs nobody has taken leave of, those whose text begins so.
  public func poolErrandLeases(prefix: String) async throws -> Set<String> {
    Set(try await records.poolErrands.list().map(\.body.lease).filter { $0.hasPrefix(prefix) })
  }

  /// The outcome of a lease's run has had its effect: nothing is known of the run any more.
  public func forgetPoolErrand(_ lease: String) async throws {
    try await records.poolErrands.delete(PoolErrandRecord.name(lease))
  }

  /// Ends the run for a lease that is over, and waits until it has ended.
  public func abandonPoolErrand(_ lease: String) async throws {
    guard let record = try await records.poolErrands.get(PoolErrandRecord.name(lease))?.body else { return }
    if let task = try await tasks.find(record.task), !task.state.isFinal {
      // It may have ended meanwhile.
      try? await tasks.cancel(record.task)
      _ = try await end(of: record.task)
    }
    try await forgetPoolErrand(lease)
  }

  /// Keeps what the script of such a run answered until somebody takes it.
  func keep(_ answer: String?, of lease: String) async throws {
    let name = PoolErrandRecord.name(lease)
    guard try await records.poolErrands.get(name) != nil else { return }
    try await records.poolErrands.update(name) { $0.answer = answer }
  }

  private func task(for work: PoolErrand) async throws -> Int {
    let name = PoolErrandRecord.name(work.lease)
    if let known = try await records.poolErrands.get(name) { return known.body.task }
    for other in try await records.poolErrands.list().map(\.body) where other.subject == work.subject {
      try await abandonPoolErrand(other.lease)
    }
    if let obstacle = await obstacle(toErrand: work.errand, in: work.deployment) { throw PoolErrandObstacle(obstacle) }
    let order = try await order(work)
    let id = try await tasks.reserveID()
    let record = PoolErrandRecord(task: id, subject: work.subject, lease: work.lease)
    try await tasks.start(order, id: id, along: [try records.poolErrands.creating(name, record)])
    return id
  }

  private func order(_ work: PoolErrand) async throws -> TaskBoard.Order {
    var run = ErrandRun(
      arguments: work.arguments, environment: work.environment, timeoutSeconds: work.timeoutSeconds,
      waitsForTurn: true)
    let secret = work.environment.keys.filter { work.secret.contains($0) || $0.contains("_DATA_") }.sorted()
    run.maskedVariables = secret.isEmpty ? nil : secret
    let policy = try await variables.manifest(of: try await deployment(work.deployment))?.errands.first {
      $0.name == work.errand && $0.errand == work.errand
    }
    let order = ErrandOrder(
      deployment: work.deployment, errand: work.errand, run: policy.map(run.completed) ?? run,
      poolLease: work.lease, wantsAnswer: work.wantsAnswer)
    return try TaskBoard.Order(
      type: "run_errand",
      description: "run errand \(work.errand) from deployment \(work.deployment) to \(work.subject)",
      user: poolUser, deployment: work.deployment, request: order)
  }

  /// - Returns: nil when there is no such task any more.
  private func end(of id: Int) async throws -> TaskRecord? {
    while true {
      guard let task = try await tasks.find(id) else { return nil }
      if task.state.isFinal { return task }
      if await tasks.waitForEnd(of: id) { continue }
      try Task.checkCancellation()
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
