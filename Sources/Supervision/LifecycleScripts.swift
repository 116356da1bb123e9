import Formats
import Glibc
public import Logging
public import Processes
public import Surroundings

/// Runs the lifecycle scripts of jobs: `pre-start`, `post-start`, `post-deploy`, `pre-stop`, `post-stop` and `drain`
/// (`reference/lifecycle.md 1`).
///
/// Every call names the agent's task. A call that is repeated with the same task, by an agent that was restarted, finds
/// the scripts that it started before and waits for them; none runs twice. Cancelling the Swift task ends the waiting
/// only; ``cancelDrain(task:)`` ends drain scripts.
public actor LifecycleScripts {
  let paths: VMPaths
  let runner: ScriptRunner
  /// The agent's own environment, below what every script gets.
  let environment: [String: String]
  let surroundings: Surroundings
  let logger: Logger
  private var drains: [String: DrainCancellation] = [:]

  public init(
    paths: VMPaths, runner: ScriptRunner, environment: [String: String], surroundings: Surroundings, logger: Logger
  ) {
    self.paths = paths
    self.runner = runner
    self.environment = environment
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Runs one script of every job that has it, all at once, and waits for all of them.
  ///
  /// - Parameter environment: what the action adds, such as `BOSH_VM_NEXT_STATE`.
  /// - Throws: ``DroverError`` with the summary of `reference/lifecycle.md 1.2` when one of them fails.
  public func run(_ name: String, jobs: [String], environment: [String: String] = [:], task: String) async throws {
    try LifecycleNames.check(script: name, jobs: jobs)
    let results = try await each(jobs.filter { Files.exists(paths.program(name, job: $0)) }) { job in
      try await self.run(name, job: job, environment, task)
    }
    try LifecycleSummary(name: name, results: results).check()
  }

  private func run(_ name: String, job: String, _ extra: [String: String], _ task: String) async throws -> String? {
    let logs = paths.logs(job: job)
    try Files.makeFolder(logs, mode: 0o750)
    let script = try await runner.start(
      id: "\(task)-\(name)-\(job)",
      ScriptSpec(
        [paths.program(name, job: job)], environment: LifecycleNames.environment(environment, extra), niceness: 5,
        stdout: .append("\(logs)/\(name).stdout.log"), stderr: .append("\(logs)/\(name).stderr.log")))
    let exit = try await script.wait()
    logger.info(
      "script ended",
      metadata: ["script": .string(name), "job": .string(job), "exit": .string("\(exit)"), "task": .string(task)])
    return exit == .exited(0) ? nil : "\(exit)"
  }

  /// Runs the drain scripts of the jobs that have one, all at once, and waits as long as they ask for.
  ///
  /// - Throws: ``DroverError`` with the summary of the failed ones; with code `cancelled` after ``cancelDrain(task:)``.
  public func drain(_ request: DrainRequest, jobs: [String], task: String) async throws {
    try LifecycleNames.check(script: "drain", jobs: jobs)
    let cancellation = DrainCancellation()
    drains[task] = cancellation
    defer { drains[task] = nil }
    let results = try await each(jobs.filter { Files.exists(paths.program("drain", job: $0)) }) { job in
      try await self.drain(request, job: job, task, cancellation)
    }
    if cancellation.isCancelled { throw DroverError(.cancelled, "draining: cancelled by user request") }
    try LifecycleSummary(name: "drain", results: results).check()
  }

  /// Ends the drain scripts of a task: SIGTERM, and SIGKILL after 10 s. Cancelling twice, or what has ended, is fine.
  public func cancelDrain(task: String) { drains[task]?.cancel() }

  /// Forgets the runs of a task that has ended: their statuses, not the jobs' log files.
  public func forget(task: String) async {
    for id in (try? runner.list()) ?? [] where id.hasPrefix("\(task)-") { try? await runner.remove(id: id) }
  }

  private func drain(
    _ request: DrainRequest, job: String, _ task: String, _ cancellation: DrainCancellation
  ) async throws -> String? {
    var round = 0
    while true {
      let script = try await runner.start(
        id: "\(task)-drain-\(job)-\(round)",
        ScriptSpec(
          [paths.program("drain", job: job)] + request.arguments(round: round),
          environment: LifecycleNames.environment(environment, request.environment(round: round))))
      let exit = try await cancellation.ending(script, in: surroundings)
      if cancellation.isCancelled { return "cancelled by user request" }
      if exit.code == nil { return "\(exit)" }
      let said = try script.readOutput(.stdout, offset: 0, maximum: 4096)
      guard let seconds = DrainRequest.answer(said) else { return "Script did not return a signed integer" }
      logger.info(
        "drain answered",
        metadata: ["job": .string(job), "seconds": .stringConvertible(seconds), "round": .stringConvertible(round)])
      // Counted from the script's end, so that an agent that was restarted meanwhile does not begin again.
      let rest = try (script.endedAt() ?? surroundings.now()) + .seconds(seconds.magnitude) - surroundings.now()
      if rest > .zero { try await cancellation.sleep(rest, in: surroundings) }
      if cancellation.isCancelled { return "cancelled by user request" }
      if seconds >= 0 { return nil }
      round += 1
    }
  }

  /// What became of each job, in the order in which they ended; nil is success.
  private func each(
    _ jobs: [String], _ body: @escaping @Sendable (String) async throws -> String?
  ) async throws -> [LifecycleSummary.Result] {
    try await withThrowingTaskGroup(of: LifecycleSummary.Result.self) { group in
      for job in jobs {
        group.addTask {
          do {
            return .init(job: job, failure: try await body(job))
          } catch let error as DroverError {
            return .init(job: job, failure: "\(error)")
          }
        }
      }
      var results: [LifecycleSummary.Result] = []
      for try await result in group { results.append(result) }
      return results
    }
  }
}
