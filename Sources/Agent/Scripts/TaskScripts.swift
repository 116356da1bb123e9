import Processes
import Surroundings

/// The scripts of tasks whose output can be read while they run, by the ids under which the runner knows them.
enum TaskScripts {
  static func errand(_ taskID: String) -> String { "\(taskID)-errand" }
  static func packaging(_ taskID: String) -> String { "\(taskID)-packaging" }

  /// The script that a task has started; nil before it has.
  static func find(_ taskID: String, _ runner: ScriptRunner) throws -> RunningScript? {
    try runner.attach(id: errand(taskID)) ?? runner.attach(id: packaging(taskID))
  }

  /// Returns when a task has started its script, or the Swift task is cancelled.
  static func waitUntilStarted(_ taskID: String, _ runner: ScriptRunner) async {
    await runner.waitUntilStarted(anyOf: [errand(taskID), packaging(taskID)])
  }

  /// Waits for a script; asked to stop, ends it first: SIGTERM, 10 s, SIGKILL. How it ended comes back either way.
  static func wait(
    _ script: RunningScript, _ cancellation: TaskCancellation, _ surroundings: Surroundings
  ) async throws -> ScriptExit {
    try await cancellation.during {
      Task { try? await script.terminate(grace: .seconds(10), in: surroundings) }
    } _: {
      try await script.wait()
    }
  }
}
