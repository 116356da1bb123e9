import Surroundings

/// A stage of a task: a known number of steps, each of which is announced when it starts and when it ends.
public actor TaskStage {
  private let name: String
  private let tags: [String]
  private let total: Int
  private let output: TaskOutput
  private var begun = 0

  init(name: String, tags: [String], total: Int, output: TaskOutput) {
    self.name = name
    self.tags = tags
    self.total = total
    self.output = output
  }

  /// Runs a step and writes its events: started, in progress as often as it says so, and finished or failed.
  public func step<Result: Sendable>(
    _ task: String, _ body: @Sendable (StepReporter) async throws -> Result
  ) async throws -> Result {
    begun += 1
    let step = TaskEvent.Step(stage: name, tags: tags, total: total, task: task, index: begun)
    try await output.event { TaskEvent.progress(step, .started, at: $0) }
    do {
      let result = try await body(StepReporter(step: step, output: output))
      try await output.event { TaskEvent.progress(step, .finished, at: $0) }
      return result
    } catch let error as CancellationError {
      throw error
    } catch {
      try await output.event { TaskEvent.progress(step, .failed, detail: "\(error)", at: $0) }
      throw error
    }
  }
}

/// How a running step tells what it does.
public struct StepReporter: Sendable {
  let step: TaskEvent.Step
  let output: TaskOutput

  /// An "in progress" event with that status.
  public func status(_ text: String) async throws {
    try await output.event { TaskEvent.progress(step, .inProgress, detail: text, at: $0) }
  }
}
