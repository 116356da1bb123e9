import AgentProtocol
import Formats
import Logging
import Messaging
import Surroundings

/// Waits for a job of another instance: asks the director, which asks that instance's agent.
///
/// An agent may publish `director.*.ID.*` and read `agent.ID`, and nothing else. So the question goes to
/// `director.drained.ID.REQUEST`, and the answer comes as a message to the agent, of which this program gets a copy.
/// BOSH's director does not listen there; then nobody answers, and that is said.
struct WaitElsewhere: Sendable {
  let job: String
  let instance: String
  let timeout: Duration
  let agentID: String
  let bus: any MessageBus
  let surroundings: Surroundings
  /// Between an answer and the next question; the director takes no more of them.
  var pause = Duration.seconds(1)
  /// When there is no answer so far, the question is asked again: it may have been lost, or come too soon. A late answer
  /// is as good.
  var answerLimit = Duration.seconds(2)
  /// For how long nobody may answer at first.
  var patience = Duration.seconds(20)

  func wait() async throws -> WaitDrained.Result {
    let answers = try await bus.subscribe(AgentSubjects.requests(agentID: agentID))
    let request = surroundings.identifier()
    let deadline = surroundings.elapsed() + timeout
    let giveUp = surroundings.elapsed() + min(timeout, patience)
    var first: (wait: DrainWait, agent: String)?
    var last: String?
    while true {
      let rest = deadline - surroundings.elapsed()
      switch try await ask(request, answers, within: min(max(rest, .milliseconds(100)), answerLimit)) {
      case .state(let value, let agent):
        let drain = try JobDrain(FieldReader(value, at: "drain of \(name)"))
        last = "it is \(drain.state.rawValue) since \(drain.since)"
        if let first, first.agent != agent { return drained("another VM has taken its place") }
        let wait = first?.wait ?? DrainWait(first: drain)
        first = (wait, agent)
        switch wait.outcome(drain) {
        case .drained: return drained(nil)
        case .failed(let reason):
          return WaitDrained.Result(code: 1, text: "the drain of job '\(name)' failed: \(reason)")
        case nil: break
        }
      case .gone: return drained("the instance has no VM")
      case .refused(let text): return WaitDrained.Result(code: 1, text: text)
      case .failed(let text): last = text
      case nil: break
      }
      if last == nil, surroundings.elapsed() >= giveUp {
        throw DroverError(
          .unavailable,
          "asking about job '\(name)': no director answers; jobs of other instances can be waited for under droverd only"
        )
      }
      guard deadline > surroundings.elapsed() else {
        return WaitDrained.Result(
          code: WaitDrained.timedOut,
          text: "job '\(name)' has not drained within \(timeout.shortText): \(last ?? "nobody said how far it is")")
      }
      try await surroundings.sleep(min(deadline - surroundings.elapsed(), pause))
    }
  }

  private var name: String { "\(job)@\(instance)" }

  private func drained(_ why: String?) -> WaitDrained.Result {
    WaitDrained.Result(code: 0, text: "job '\(name)' has drained" + (why.map { ": \($0)" } ?? ""))
  }

  /// - Returns: nil when no answer comes in time.
  private func ask(
    _ request: String, _ answers: MessageSubscription, within limit: Duration
  ) async throws -> DrainAnswer.Outcome? {
    try await bus.publish(
      AgentSubjects.drainQuestion(agentID: agentID, requestID: request),
      JSON.bytes(DrainQuestion(job: job, instance: instance).value))
    let surroundings = surroundings
    return try await withThrowingTaskGroup(of: DrainAnswer.Outcome?.self) { group in
      group.addTask {
        while let message = try await answers.next() {
          if let answer = Self.answer(message.payload), answer.request == request { return answer.outcome }
        }
        try Task.checkCancellation()
        throw DroverError(.unavailable, "the bus was closed")
      }
      group.addTask {
        try await surroundings.sleep(limit)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  private static func answer(_ payload: [UInt8]) -> DrainAnswer? {
    guard case .request(let message) = AgentRequest.read(payload), message.method == AgentMethod.drained.rawValue,
      let value = message.arguments.first
    else { return nil }
    return try? DrainAnswer(value)
  }
}

extension WaitElsewhere {
  /// With a connection of its own, as the agent of this machine has one.
  static func run(
    _ options: WaitDrainedOptions, _ instance: String, surroundings: Surroundings
  ) async throws -> WaitDrained.Result {
    let layout = VMLayout(base: options.baseDirectory)
    let logger = Logger(label: "wait-drained") { _ in SwiftLogNoOpLogHandler() }
    let settings = try SettingsStore.cached(layout, logger: logger)
    let requiresTLS = (try? AgentConfiguration.load(layout.agentConfiguration))?.requiresBusTLS ?? false
    guard case .nats(let urls, let tls) = try BusPlan(settings, requiresTLS: requiresTLS) else {
      throw DroverError(
        .unsupported, "waiting for a job of another instance (\(instance)): the agent of this machine has no bus")
    }
    let connection = try NATSConnection(
      NATSConfiguration(urls: urls, tls: tls, name: "agent \(settings.agentID) wait-drained"),
      surroundings: surroundings, logger: logger)
    await connection.start()
    do {
      try await connection.waitUntilConnected(min(options.timeout, .seconds(20)))
      let result = try await WaitElsewhere(
        job: options.job, instance: instance, timeout: options.timeout, agentID: settings.agentID, bus: connection,
        surroundings: surroundings
      ).wait()
      await connection.close()
      return result
    } catch {
      await connection.close()
      throw error
    }
  }
}
