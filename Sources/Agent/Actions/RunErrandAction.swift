import AgentProtocol
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Runs an errand's script once; its exit code is a value, whatever it is (reference/agent.md 11).
struct RunErrandAction: AgentAction {
  let specs: SpecStore
  let runner: ScriptRunner
  let environment: ScriptEnvironment
  let layout: VMLayout
  let surroundings: Surroundings
  let method = AgentMethod.runErrand
  // Arguments and environment may have secrets in them.
  let traits = ActionTraits(isAsynchronous: true, order: .parallel, isLoggable: false, isCancellable: true)

  func run(_ call: TaskCall) async throws -> Value {
    let script = try await script(call)
    let options = try call.reading { try call.optional(1).map(ErrandOptions.init) } ?? ErrandOptions()
    let id = TaskScripts.errand(call.taskID)
    let answer = options.wantsAnswer ? try runner.answerFile(id: id) : nil
    var variables = options.environment
    if let answer { variables["DROVER_RESULT_FILE"] = answer }
    let spec = ScriptSpec(
      [script] + options.arguments, environment: environment.with(variables), outputLimit: options.outputLimit)
    // Asked to stop while it waited for its turn: it ends as if it had been ended at once.
    if call.cancellation.isCancelled, try runner.attach(id: id) == nil {
      return ErrandResult(stdout: "", stderr: "", exitCode: 128 + Int(SIGTERM)).value
    }
    let running = try await runner.start(id: id, spec)
    let exit = try await trimming(running, ifLimited: options.outputLimit) {
      try await TaskScripts.wait(running, call.cancellation, surroundings)
    }
    guard let code = exit.code else { throw DroverError(.failed, AgentTexts.errandFailed + "\(exit)") }
    return try Self.result(running, code, answer: try answer.flatMap(Self.answer))
  }

  /// Keeps what is left out of the output off the disk meanwhile, and at the end.
  private func trimming(
    _ script: RunningScript, ifLimited limit: Int?, _ body: () async throws -> ScriptExit
  ) async throws -> ScriptExit {
    guard limit != nil else { return try await body() }
    let surroundings = surroundings
    let trimmer = surroundings.task {
      while true {
        try await surroundings.sleep(.milliseconds(250))
        script.trimOutput()
      }
    }
    defer {
      trimmer.cancel()
      script.trimOutput()
    }
    return try await body()
  }

  private func script(_ call: TaskCall) async throws -> String {
    let job = try await specs.current().job
    var name = job.template
    if call.optional(0) != nil { name = try call.string(0, "errand name") }
    guard !name.isEmpty else {
      throw DroverError(.invalid, "At least one job template is required to run an errand")
    }
    // A job that was named must be one of the spec's, so that no path can be made up.
    guard let template = job.templates.first(where: { $0.name == name }) else {
      throw DroverError(.notFound, "Could not find errand \(name.prefix(200))")
    }
    _ = try SafeName.component(name, "errand")
    return layout.errandScript(of: template)
  }

  /// Longer answers are refused: they are settings, no data.
  private static let longestAnswer = 256 << 10

  private static func answer(_ path: String) throws -> [UInt8]? {
    guard let size = try Files.size(path) else { return nil }
    guard size <= longestAnswer else {
      throw DroverError(
        .tooLarge,
        AgentTexts.errandFailed + "its answer in DROVER_RESULT_FILE has \(size) bytes, at most "
          + "\(longestAnswer) are taken")
    }
    return try Files.read(path, limit: longestAnswer)
  }

  /// Output shrinks until the reply fits, however much escaping it needs.
  private static func result(_ script: RunningScript, _ code: Int, answer: [UInt8]?) throws -> Value {
    var limit = AgentLimits.maximumResultOutputBytes
    while true {
      let excerpt = try OutputExcerpt.read(script, limit: limit)
      let value = ErrandResult(stdout: excerpt.stdout, stderr: excerpt.stderr, exitCode: code, answer: answer).value
      if AgentResponse.fits(value) || limit < 1024 { return value }
      limit /= 2
    }
  }
}
