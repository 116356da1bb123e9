public import Formats
import Manifests
public import Releases

/// What a run of an errand is asked to do (reference/director.md A.6, and what Drover adds to it).
public struct ErrandRun: Codable, Sendable, Hashable {
  public var keepAlive: Bool
  public var whenChanged: Bool
  /// None means all.
  public var instances: [ErrandFilter]
  /// Passed to the script as they are.
  public var arguments: [String]
  /// Added to the script's environment.
  public var environment: [String: String]
  /// After so many seconds the script is ended; nil for never.
  public var timeoutSeconds: Int?
  /// Whether it waits for its turn while the same errand runs on the same instances, instead of being refused.
  public var waitsForTurn: Bool?
  /// Variables of the environment whose values nobody is shown.
  public var maskedVariables: [String]?
  /// Whether nobody is shown the arguments.
  public var masksArguments: Bool?
  /// On how many instances of a group it runs; nil for as many as there are, and the first one of an errand group.
  public var instanceCount: Int?
  /// Whether that is what the manifest says of the errand's own group, and of no other that has the errand, too.
  var countsOwnGroupOnly: Bool?
  /// On how many of them at once; nil for ``ErrandBatch/usualWidth``.
  public var parallel: Int?
  /// Whether the first failure ends the others.
  public var failsFast: Bool?
  /// How many bytes of each stream of each instance are kept from the beginning; of the end a quarter as many more, 16 MiB
  /// at most. Nil for ``usualOutputLimit``.
  public var outputLimit: Int?
  /// What it needs from the pools, over what the errand's job says.
  public var leases: [ErrandLease]?

  /// What keeps a script that prints without end from filling disks.
  public static let usualOutputLimit = 1 << 30

  public init(
    keepAlive: Bool = false, whenChanged: Bool = false, instances: [ErrandFilter] = [], arguments: [String] = [],
    environment: [String: String] = [:], timeoutSeconds: Int? = nil, waitsForTurn: Bool? = nil
  ) {
    self.keepAlive = keepAlive
    self.whenChanged = whenChanged
    self.instances = instances
    self.arguments = arguments
    self.environment = environment
    self.timeoutSeconds = timeoutSeconds
    self.waitsForTurn = waitsForTurn
  }

  /// This run with what the manifest says where it says nothing itself; of the environment, variable by variable.
  func completed(_ policy: ErrandPolicy) -> ErrandRun {
    var run = self
    if run.arguments.isEmpty { run.arguments = policy.arguments }
    run.environment.merge(policy.environment) { mine, _ in mine }
    run.timeoutSeconds = run.timeoutSeconds ?? policy.timeoutSeconds
    if run.instances.isEmpty, run.instanceCount == nil, let count = policy.instances {
      (run.instanceCount, run.countsOwnGroupOnly) = (count, true)
    }
    run.parallel = run.parallel ?? policy.parallel
    run.failsFast = run.failsFast ?? policy.failsFast
    run.outputLimit = run.outputLimit ?? policy.outputLimit
    if !policy.leases.isEmpty { run.leases = ErrandLease.merged(policy.leases, with: run.leases ?? []) }
    return run
  }

  /// Whether two runs may have an instance in common. An index and a UUID may mean the same one.
  func mayMeet(_ other: ErrandRun) -> Bool {
    if instances.isEmpty || other.instances.isEmpty { return true }
    return instances.contains { mine in
      other.instances.contains { theirs in
        guard mine.group == theirs.group else { return false }
        guard let mineID = mine.id, let theirID = theirs.id else { return true }
        return mineID == theirID || [mineID, theirID].contains("first") || mineID.contains("-") != theirID.contains("-")
      }
    }
  }

  /// Reads the body of the request that starts a run.
  public init(_ fields: FieldReader) throws {
    keepAlive = try fields.optionalBool("keep-alive") ?? false
    whenChanged = try fields.optionalBool("when-changed") ?? false
    instances = try fields.readers("instances").map { filter in
      let id = try filter.optionalScalarText("id")
      return ErrandFilter(group: try filter.string("group"), id: id?.isEmpty == true ? nil : id)
    }
    arguments = try fields.strings("arguments")
    environment = try (fields.optionalObject("environment") ?? [:]).reduce(into: [:]) { environment, member in
      guard let text = member.value.scalarText else {
        throw fields.error("environment.\(member.key)", "expected a string, found \(member.value.kindName)")
      }
      environment[member.key] = text
    }
    timeoutSeconds = try fields.optionalSeconds("timeout")
    waitsForTurn = try fields.optionalBool("queue")
    instanceCount = try fields.optionalPositiveInt("instance-count")
    parallel = try fields.optionalPositiveInt("parallel")
    failsFast = try fields.optionalBool("fail-fast")
    outputLimit = try fields.optionalOutputLimit("output-limit")
    masksArguments = try fields.optionalBool("mask-arguments")
    let masked = try fields.strings("masked-environment")
    for name in masked where environment[name] == nil {
      throw fields.error("masked-environment", "'\(name)' is not in the environment")
    }
    maskedVariables = masked.isEmpty ? nil : masked
    let wanted = try fields.leases()
    leases = wanted.isEmpty ? nil : wanted
  }
}

/// The request of a `run_errand` task.
struct ErrandOrder: Codable, Sendable {
  var deployment: String
  var errand: String
  var run: ErrandRun
  /// For which lease of a pool it is run; nil when a pool has nothing to do with it.
  var poolLease: String?
  /// Whether the script is asked for an answer.
  var wantsAnswer: Bool?
}

/// What came of a run on one instance: a line of the task's result (reference/director.md D.4).
struct ErrandOutcome: Codable, Sendable {
  var group: String
  var id: String
  var exitCode: Int
  var stdout: String
  var stderr: String
  /// Blob and digest of the logs, if they could be had.
  var logsBlobID: String?
  var logsDigest: String?
  /// Why the exit code is not the script's own: ``ErrandStartFailure``'s texts, `timeout`, or ``Ending``'s.
  var failure: String?
  /// Digest of what the instance was configured with.
  var state: String?
  /// What the script answered besides; secret. Base64.
  var answer: String?

  /// The exit code of a script that was ended since its time was up, whatever it said itself then: one that ends with 0 on
  /// SIGTERM has not done what it was to do.
  static let timedOut = 124

  /// The exit code of a whole run, of the lines of its result: the highest one, without those of instances that were ended
  /// because another had failed; nil as long as there is none.
  static func worst(of lines: [Value]) -> Int? {
    let counting = lines.filter { Ending(rawValue: $0["failure"]?.string ?? "") == nil }
    return (counting.isEmpty ? lines : counting).compactMap { $0["exit_code"]?.int }.max()
  }

  /// What a failure elsewhere does to a run with `--fail-fast`. Such codes are not the worst ones of a run.
  enum Ending: String, CaseIterable {
    case ended = "ended by fail-fast"
    case notRun = "not run"
  }

  /// An instance that was not begun with, since another one had failed.
  static func notRun(_ instance: ResolvedInstance) -> ErrandOutcome {
    ErrandOutcome(
      group: instance.group, id: instance.id, exitCode: 143, stdout: "", stderr: "", failure: Ending.notRun.rawValue)
  }

  func line(errand: String) -> [UInt8] {
    var value: ValueObject = [
      "instance": ["group": .string(group), "id": .string(id)], "errand_name": .string(errand),
      "exit_code": .int(exitCode), "stdout": .string(stdout), "stderr": .string(stderr),
      "logs": ["blobstore_id": Value(logsBlobID), "sha1": Value(logsDigest)],
    ]
    if let failure { value["failure"] = .string(failure) }
    return JSON.bytes(.object(value)) + [0x0A]
  }

  /// The task's short result.
  static func summary(_ outcomes: [ErrandOutcome]) -> String {
    let succeeded = outcomes.count { $0.exitCode == 0 }
    let cancelled = outcomes.count { $0.exitCode > 128 }
    return "\(succeeded) succeeded, \(outcomes.count - succeeded - cancelled) errored, \(cancelled) canceled"
  }
}

/// Why a run on an instance failed, kept so that a restarted server does not try it again.
struct ErrandFailure: Codable, Sendable {
  var number: Int
  var status: Int
  var text: String
  var isCancelled: Bool

  init(_ error: any Error) {
    let failure = DirectorFailure.describing(error)
    number = failure.number
    status = failure.status
    text = failure.description
    isCancelled = error is TaskCancelled
  }

  var error: any Error { isCancelled ? TaskCancelled() : DirectorFailure(number, status: status, text) }
}
