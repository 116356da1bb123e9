import Files
import Formats
import Logging
import Processes
import Surroundings

/// How far a job is with its drain.
public enum DrainProgress: Sendable, Hashable {
  case draining
  case drained
  /// With the reason.
  case failed(String)
}

extension LifecycleScripts {
  /// Runs the drain scripts of the jobs that have one, all at once, and waits as long as they ask for.
  ///
  /// - Parameters:
  ///   - limit: how long a job's drain may take in all, pauses included, from the start of its script; nil for as long as
  ///     it likes. What takes longer is ended and has failed.
  ///   - report: told of every job how far it is: all of them before the first script starts. A job without a script is
  ///     drained at once.
  /// - Throws: ``DroverError`` with the summary of the failed ones; with code `cancelled` after ``cancelDrain(task:)``.
  public func drain(
    _ request: DrainRequest, jobs: [String], task: String, limit: Duration? = nil,
    report: @escaping @Sendable (String, DrainProgress) async -> Void = { _, _ in }
  ) async throws {
    try LifecycleNames.check(script: "drain", jobs: jobs)
    let draining = try jobs.filter { try Files.exists(paths.program("drain", job: $0)) }
    let cancellations = Dictionary(draining.map { ($0, DrainCancellation()) }, uniquingKeysWith: { first, _ in first })
    beginDrain(task, Array(cancellations.values))
    defer { endDrain(task) }
    for job in jobs { await report(job, cancellations[job] == nil ? .drained : .draining) }
    let results = try await each(draining) { job in
      guard let cancellation = cancellations[job] else { return nil }
      do {
        let failure = try await self.drain(request, job: job, task, cancellation, limit)
        await report(job, failure.map(DrainProgress.failed) ?? .drained)
        return failure
      } catch let error as DroverError {
        await report(job, .failed("\(error)"))
        throw error
      }
    }
    if cancellations.values.contains(where: { $0.reason == .user }) {
      throw DroverError(.cancelled, "draining: cancelled by user request")
    }
    try LifecycleSummary(name: "drain", results: results).check()
  }

  /// - Returns: why it failed; nil when it went well.
  private func drain(
    _ request: DrainRequest, job: String, _ task: String, _ cancellation: DrainCancellation, _ limit: Duration?
  ) async throws -> String? {
    var round = 0
    var timer: Task<Void, Never>?
    defer { timer?.cancel() }
    while true {
      let script = try await runner.start(
        id: "\(task)-drain-\(job)-\(round)",
        ScriptSpec(
          [paths.program("drain", job: job)] + request.arguments(round: round),
          environment: LifecycleNames.environment(environment, request.environment(round: round))))
      if timer == nil, let limit {
        // Counted from the first script's start, so that a restart of the agent does not make it longer.
        let rest = (script.begunAt() ?? surroundings.now()) + limit - surroundings.now()
        timer = Task { [surroundings] in
          if rest > .zero, (try? await surroundings.sleep(rest)) == nil { return }
          cancellation.cancel(.limit)
        }
      }
      let exit = try await cancellation.ending(script, in: surroundings)
      if let reason = cancellation.reason { return Self.text(reason, limit) }
      if exit.code == nil { return "\(exit)" }
      let said = try script.readOutput(.stdout, offset: 0, maximum: 4096)
      guard let seconds = DrainRequest.answer(said) else { return "Script did not return a signed integer" }
      logger.info(
        "drain answered",
        metadata: ["job": .string(job), "seconds": .stringConvertible(seconds), "round": .stringConvertible(round)])
      // Counted from the script's end, so that an agent that was restarted meanwhile does not begin again.
      let rest = try (script.endedAt() ?? surroundings.now()) + .seconds(seconds.magnitude) - surroundings.now()
      if rest > .zero { try await cancellation.sleep(rest, in: surroundings) }
      if let reason = cancellation.reason { return Self.text(reason, limit) }
      if seconds >= 0 { return nil }
      round += 1
    }
  }

  private static func text(_ reason: DrainCancellation.Reason, _ limit: Duration?) -> String {
    switch reason {
    case .user: "cancelled by user request"
    case .limit:
      "had not finished after the operator's limit of \(limit?.shortText ?? "") (env.bosh.drain_timeout), and was ended"
    }
  }
}
