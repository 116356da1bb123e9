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
  let journal: OutputJournal
  /// What the run holds; nil when it leases nothing.
  var hand: LeasesInHand?

  /// The checkpoint that keeps what came of the run on an instance.
  static func outcome(_ instance: ResolvedInstance) -> String { "outcome \(instance.id)" }

  /// Whether the script may have been begun, maybe by an earlier server.
  func hasBegun(_ target: ErrandSelection.Target) async throws -> Bool {
    try await context.known(Self.begun(target.instance), as: Timestamp.self) != nil
  }

  private static func begun(_ instance: ResolvedInstance) -> String { "begun \(instance.id)" }

  /// Runs the script, or goes on with it, or has what came of it before.
  func run(_ target: ErrandSelection.Target, _ part: ErrandBatch.Part) async throws -> ErrandOutcome {
    let instance = target.instance
    // A script that an earlier server has begun is gone on with, also to end it.
    if try await !hasBegun(target) {
      try context.cancellation.check()
      if part.haste.isRequested { return .notRun(instance) }
    }
    return try await context.once(Self.outcome(instance)) {
      let record = try await director.records.instances.require(instance.record.documentName).body
      guard let vm = record.vm else {
        throw DirectorFailure.errand("Errand '\(order.errand)' cannot run: \(instance.label) has no VM")
      }
      let agent = director.client(vm.agentID, context.output)
      let begun = try await context.once(Self.begun(instance)) { context.surroundings.now() }
      let stage = context.stage("Running errand", total: 1)
      let (ended, arrived) = try await stage.step(instance.label) { reporter in
        try await attempt(target, part, begun, agent, reporter)
      }
      var outcome = ended
      outcome.state = ErrandChanges.state(record.fingerprint)
      let logs = context.stage("Fetching logs for \(instance.label)", total: 1)
      do {
        let found = try await logs.step("Finding and packing log files") { _ in
          let identity = RequestIdentity(
            task: context.id, agent: agent.agentID, step: "\(instance.id) fetch_logs")
          return try await LogArchives(director: director).ofErrand(arrived, from: agent, identity)
        }
        outcome.logsBlobID = found.blobstoreID
        outcome.logsDigest = found.sha1
      } catch  where !Task.isCancelled {
        try await context.warn("The logs of \(instance.label) cannot be had: \(error)")
      }
      return outcome
    }
  }

  private func attempt(
    _ target: ErrandSelection.Target, _ part: ErrandBatch.Part, _ begun: Timestamp, _ agent: AgentClient,
    _ reporter: StepReporter
  ) async throws -> (ErrandOutcome, logs: LogResult?) {
    let instance = target.instance
    do {
      let end = Cancellation()
      let ((result, logs), isTimedOut) = try await part.haste.whileWatched({ end.request() }) {
        try await context.cancellation.whileWatched({ end.request() }) {
          try await limited(target, begun, end) { try await execute(target, part, agent, reporter, end) }
        }
      }
      let isEnded = part.haste.isRequested && result.exitCode > 128
      let failure: String? =
        if isTimedOut { "timeout" } else if hand?.lost != nil { "lease lost" } else if isEnded {
          ErrandOutcome.Ending.ended.rawValue
        } else { nil }
      let outcome = ErrandOutcome(
        group: instance.group, id: instance.id, exitCode: isTimedOut ? ErrandOutcome.timedOut : result.exitCode,
        stdout: result.stdout, stderr: result.stderr, failure: failure,
        answer: result.answer.map { Base64.encode($0) })
      return (outcome, logs)
    } catch let exception as AgentClient.Exception {
      guard let failure = ErrandStartFailure(exception: exception.message) else { throw exception }
      let reason = ErrandStartFailure.reason(in: exception.message) ?? exception.message[...]
      try await context.warn("\(instance.label): \(reason)")
      let outcome = ErrandOutcome(
        group: instance.group, id: instance.id, exitCode: failure.exitCode, stdout: "",
        stderr: "\(reason)\n", failure: failure.rawValue)
      return (outcome, nil)
    }
  }

  /// Runs a script, and wishes its end when its time is up. Its time goes on while no server runs.
  private func limited<Result>(
    _ target: ErrandSelection.Target, _ begun: Timestamp, _ end: Cancellation, _ body: () async throws -> Result
  ) async throws -> (Result, isTimedOut: Bool) {
    guard let seconds = order.run.timeoutSeconds else { return (try await body(), false) }
    let instance = target.instance
    let surroundings = context.surroundings
    let isTimedOut = Mutex(false)
    let context = context
    let timer = surroundings.task {
      try await surroundings.sleep(begun + .seconds(seconds) - surroundings.now())
      isTimedOut.withLock { $0 = true }
      // Ended before that is said: the warning waits while the disk is full.
      end.request()
      try await context.warn(
        "\(instance.label): the script has run for \(Duration.seconds(seconds).shortText), as long as it may; it is ended"
      )
    }
    defer { timer.cancel() }
    return (try await body(), isTimedOut.withLock { $0 })
  }

  /// Runs the script; what it prints is brought home meanwhile.
  private func execute(
    _ target: ErrandSelection.Target, _ part: ErrandBatch.Part, _ agent: AgentClient, _ reporter: StepReporter,
    _ cancellation: Cancellation
  ) async throws -> (ErrandResult, logs: LogResult?) {
    let identity = RequestIdentity(
      task: context.id, agent: agent.agentID, step: "\(target.instance.id) run_errand \(target.script)")
    let variables = part.environment(of: target, task: context.id).merging(hand?.variables ?? [:]) { $1 }
    let options = ErrandOptions(
      arguments: order.run.arguments, environment: variables.merging(order.run.environment) { _, own in own },
      outputLimit: order.run.outputLimit ?? ErrandRun.usualOutputLimit, wantsAnswer: order.wantsAnswer ?? false)
    let output = ErrandOutput(
      agent: agent, instance: ErrandOutput.name(of: target.instance), journal: journal,
      surroundings: context.surroundings, reporter: reporter)
    let reading = output.request(waitMilliseconds: 500)
    let task: AgentTaskReply
    do {
      // The task can be cancelled when it is known, so the answer must not wait long.
      task = try await agent.begin(
        .runErrand, [.string(target.script), options.value], identity: identity,
        reading: reading)
    } catch let failure as DroverError where failure.code == .tooLarge {
      throw DirectorFailure.errand(
        "Errand '\(order.errand)' cannot be started on \(target.instance.label): its arguments, its environment and the "
          + "user data of its leases are too long together: \(failure)")
    }
    return try await agent.withCancelling(task.taskID, cancellation) {
      // After a restart the answer may be one to the last server's question, which read from the beginning.
      let isFresh = reading.stdoutOffset == 0 && reading.stderrOffset == 0
      let end = try await output.follow(agentTask: task.taskID, first: isFresh ? task.output : nil)
      if case .read(let response?, let logs) = end {
        return (try ErrandResult(await agent.result(response, .runErrand)), logs)
      }
      let result = try ErrandResult(await agent.result(of: task.taskID, .runErrand))
      if case .unknown = end { try await output.complete(with: result) }
      return (result, nil)
    }
  }
}
