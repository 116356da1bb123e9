import Files
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
  /// Of the jobs that drain now, by task.
  private var drains: [String: [DrainCancellation]] = [:]

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
    let results = try await each(jobs.filter { try Files.exists(paths.program(name, job: $0)) }) { job in
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

  /// Forgets the runs of a task that has ended: their statuses, not the jobs' log files.
  public func forget(task: String) async {
    for id in (try? runner.list()) ?? [] where id.hasPrefix("\(task)-") { try? await runner.remove(id: id) }
  }

  /// What became of each job, in the order in which they ended; nil is success.
  func each(
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

  func beginDrain(_ task: String, _ cancellations: [DrainCancellation]) { drains[task] = cancellations }
  func endDrain(_ task: String) { drains[task] = nil }

  /// Ends the drain scripts of a task: SIGTERM, and SIGKILL after 10 s. Cancelling twice, or what has ended, is fine.
  public func cancelDrain(task: String) { for cancellation in drains[task] ?? [] { cancellation.cancel() } }
}
