import Documents
public import Formats

/// A run of an errand as it is listed: who asked for what, and what came of it.
public struct ErrandRunSummary: Sendable {
  public let task: TaskRecord
  public let errand: String
  /// What was asked for, with what is masked left out.
  public let arguments: [String]
  public let environment: [String: String]
  /// The lines of the task's result, without output; empty while it runs.
  public let outcomes: [Value]

  /// The exit code of the whole; nil as long as there is none.
  public var exitCode: Int? { ErrandOutcome.worst(of: outcomes) }
}

extension Director {
  /// Runs of errands, the last ones first.
  ///
  /// - Parameters:
  ///   - deployment: nil for all.
  ///   - errand: nil for all.
  public func errandRuns(deployment: String?, errand: String?, limit: Int) async throws -> [ErrandRunSummary] {
    let tasks = try await tasks.tasks { $0.type == "run_errand" && (deployment == nil || $0.deployment == deployment) }
    var runs: [ErrandRunSummary] = []
    for task in tasks.sorted(by: { $0.id > $1.id }) where runs.count < limit {
      let order = try task.request(as: ErrandOrder.self)
      guard errand == nil || order.errand == errand else { continue }
      runs.append(
        ErrandRunSummary(
          task: task, errand: order.errand, arguments: order.run.shownArguments,
          environment: order.run.shownEnvironment, outcomes: try await outcomes(of: task.id)))
    }
    return runs
  }

  /// The lines of a run's result, without output.
  func outcomes(of task: Int) async throws -> [Value] {
    let bytes = try await journals.read(TaskOutput.journal(task: task, .result), from: 0, limit: .max)
    return try bytes.split(separator: 0x0A).map { line in
      var outcome = try JSON.parse(Array(line)).object ?? [:]
      for output in ["stdout", "stderr"] { outcome[output] = nil }
      return .object(outcome)
    }
  }
}

extension ErrandRun {
  static let mask = "***"

  /// The arguments, or as many masks.
  public var shownArguments: [String] { masksArguments == true ? arguments.map { _ in Self.mask } : arguments }

  /// The environment, with masks in place of the values that nobody is shown.
  public var shownEnvironment: [String: String] {
    let masked = Set(maskedVariables ?? [])
    return Dictionary(
      uniqueKeysWithValues: environment.map { ($0.key, masked.contains($0.key) ? Self.mask : $0.value) })
  }
}
