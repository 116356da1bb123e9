import AgentProtocol
import Documents
import Formats
import Surroundings
import Synchronization

/// The run of an errand's script on one instance that has a VM: its output and exit code come home, and the job's logs.
struct ErrandExecution: Sendable {
  let director: Director
  let context: TaskContext
  let order: ErrandOrder

  /// The checkpoint that keeps what came of the run on an instance.
  static func outcome(_ instance: ResolvedInstance) -> String { "outcome \(instance.id)" }

  func run(_ target: ErrandSelection.Target) async throws -> ErrandOutcome {
    let instance = target.instance
    return try await context.once(Self.outcome(instance)) {
      try context.cancellation.check()
      let record = try await director.records.instances.require(instance.record.documentName).body
      guard let vm = record.vm else {
        throw DirectorFailure.errand("Errand '\(order.errand)' cannot run: \(instance.label) has no VM")
      }
      let agent = director.client(vm.agentID, context.output)
      let stage = context.stage("Running errand", total: 1)
      var outcome = try await stage.step(instance.label) { reporter in
        try await attempt(target, agent, reporter)
      }
      outcome.state = ErrandChanges.state(record.fingerprint)
      let logs = context.stage("Fetching logs for \(instance.label)", total: 1)
      do {
        let found = try await logs.step("Finding and packing log files") { _ in try await fetchLogs(agent, instance) }
        outcome.logsBlobID = found.blobstoreID
        outcome.logsDigest = found.sha1
      } catch  where !Task.isCancelled {
        try await context.warn("The logs of \(instance.label) cannot be had: \(error)")
      }
      return outcome
    }
  }

  private func attempt(
    _ target: ErrandSelection.Target, _ agent: AgentClient, _ reporter: StepReporter
  ) async throws -> ErrandOutcome {
    let instance = target.instance
    do {
      let (result, isTimedOut) = try await limited(target) { try await execute(target, agent, reporter, $0) }
      return ErrandOutcome(
        group: instance.group, id: instance.id, exitCode: result.exitCode, stdout: result.stdout,
        stderr: result.stderr, failure: isTimedOut ? "timeout" : nil)
    } catch let exception as AgentClient.Exception {
      guard let failure = ErrandStartFailure(exception: exception.message) else { throw exception }
      try await context.warn("\(instance.label): \(exception.message)")
      return ErrandOutcome(
        group: instance.group, id: instance.id, exitCode: failure.exitCode, stdout: "",
        stderr: "\(exception.message)\n", failure: failure.rawValue)
    }
  }

  /// Runs a script with a wish to end it that comes when somebody asks for the task's end, or when its time is up.
  /// Its time goes on while no server runs.
  private func limited(
    _ target: ErrandSelection.Target, _ body: (Cancellation) async throws -> ErrandResult
  ) async throws -> (ErrandResult, isTimedOut: Bool) {
    guard let seconds = order.run.timeoutSeconds else { return (try await body(context.cancellation), false) }
    let instance = target.instance
    let surroundings = context.surroundings
    let end = Cancellation()
    let isTimedOut = Mutex(false)
    let begun = try await context.once("begun \(instance.id)") { surroundings.now() }
    let context = context
    let timer = surroundings.task {
      try await surroundings.sleep(begun + .seconds(seconds) - surroundings.now())
      isTimedOut.withLock { $0 = true }
      try await context.warn(
        "\(instance.label): the script has run for \(Duration.seconds(seconds).shortText), as long as it may; it is ended"
      )
      end.request()
    }
    defer { timer.cancel() }
    let result = try await context.cancellation.whileWatched({ end.request() }) { try await body(end) }
    return (result, isTimedOut.withLock { $0 })
  }

  /// Runs the script; what it prints is brought home meanwhile.
  private func execute(
    _ target: ErrandSelection.Target, _ agent: AgentClient, _ reporter: StepReporter, _ cancellation: Cancellation
  ) async throws -> ErrandResult {
    let identity = RequestIdentity(
      task: context.id, agent: agent.agentID, step: "\(target.instance.id) run_errand \(target.script)")
    let options = ErrandOptions(arguments: order.run.arguments, environment: order.run.environment)
    let follower = ErrandFollower(surroundings: context.surroundings)
    let output = ErrandOutput(
      agent: agent, instance: ErrandOutput.name(of: target.instance), output: context.output, reporter: reporter)
    let value: Value
    do {
      value = try await agent.perform(
        .runErrand, [.string(target.script), options.value], identity: identity, cancellation: cancellation
      ) { agentTask in
        await follower.start { try await output.follow(agentTask: agentTask) }
      }
    } catch {
      await follower.stop()
      throw error
    }
    let result = try ErrandResult(value)
    // The result comes when the script has ended; the last of what it printed is then still on its way. An agent that
    // cannot be read from has all of it in the result.
    if try await !follower.finish() { try await output.complete(with: result) }
    return result
  }

  private func fetchLogs(_ agent: AgentClient, _ instance: ResolvedInstance) async throws -> LogResult {
    let identity = RequestIdentity(task: context.id, agent: agent.agentID, step: "\(instance.id) fetch_logs")
    let request = LogRequest(types: "job", uploadURL: try director.engines.blobAddresses.put(identity.uuid))
    var result = try LogResult(
      await agent.perform(.fetchLogsWithSignedURL, [request.signedArgument], identity: identity))
    result.blobstoreID = identity.uuid
    try await LogBundles(director: director).keep(identity.uuid)
    return result
  }
}
