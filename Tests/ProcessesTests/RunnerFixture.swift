import Processes
import TestSupport

/// The executable that is the runner.
enum RunnerFixture {
  static let path = TestProcess.path(of: "runner-fixture")

  static func runner(_ folder: String) -> ScriptRunner {
    ScriptRunner(directory: "\(folder)/runs", runnerProgram: path)
  }
}
