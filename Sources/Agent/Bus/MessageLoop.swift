import AgentProtocol
import Formats
import Logging
import Messaging

/// Takes requests from the bus and has them answered. Nothing in here waits for an action: what takes time becomes a
/// task, or runs beside the loop (reference/agent.md 6, 7; trap 3 of 22).
struct MessageLoop: Sendable {
  let agentID: String
  let bus: any MessageBus
  /// A connection of its own for what scripts print, so that it never delays an answer (design D13).
  let outputBus: any MessageBus
  let registry: ActionRegistry
  /// For requests that are answered together with what they have begun prints.
  let readOutput: ReadOutputAction
  let tasks: AgentTasks
  let log: MessageLog
  /// Nil where nobody keeps account of requests.
  var audit: AuditTrail?
  private let late = LateLines(lines: .standardError)

  init(
    agentID: String, bus: any MessageBus, outputBus: any MessageBus, registry: ActionRegistry,
    readOutput: ReadOutputAction, tasks: AgentTasks, log: MessageLog, audit: AuditTrail? = nil
  ) {
    self.agentID = agentID
    self.bus = bus
    self.outputBus = outputBus
    self.registry = registry
    self.readOutput = readOutput
    self.tasks = tasks
    self.log = log
    self.audit = audit
  }

  /// Subscribes, and answers until the bus is closed.
  ///
  /// - Throws: when the bus refuses the subscription or is lost for good.
  func run(onSubscribed: @Sendable () async -> Void = {}) async throws {
    let requests = try await bus.subscribe(AgentSubjects.requests(agentID: agentID))
    await onSubscribed()
    try await bus.nearby {
      for try await message in requests { await handle(message.payload) }
    }
  }

  func handle(_ payload: [UInt8]) async {
    switch AgentRequest.read(payload) {
    case .unreadable(let reason):
      log.unreadable(reason, bytes: payload.count)
      audit?.note("", replyTo: nil, failure: reason)
    case .refused(let replyTo, let message):
      await reply(.exception(message: message), to: replyTo, over: bus, method: "", isLoggable: true)
    case .request(let request): await dispatch(request, bytes: payload.count)
    }
  }

  /// Answers one request to whoever holds the line, as HTTPS has it: `reply_to` means nothing there, and is the same in
  /// all requests of a client, so it tells no repeats.
  ///
  /// - Returns: the answer, whatever its length; nil when the message cannot be read.
  func answer(_ payload: [UInt8]) async -> [UInt8]? {
    let response: AgentResponse
    switch AgentRequest.read(payload) {
    case .unreadable(let reason):
      log.unreadable(reason, bytes: payload.count)
      return nil
    case .refused(_, let message): response = .exception(message: message)
    case .request(var request):
      request.replyTo = nil
      let action = registry[request.method]
      log.received(request, bytes: payload.count, isLoggable: action?.traits.isLoggable ?? false)
      response = await respond(request, action)
      let bytes = JSON.bytes(response.value)
      log.answering(response, bytes, to: "the client", isLoggable: action?.traits.isLoggable ?? true)
      return bytes
    }
    return JSON.bytes(response.value)
  }

  private func dispatch(_ request: AgentRequest, bytes: Int) async {
    let action = registry[request.method]
    let isLoggable = action?.traits.isLoggable ?? true
    if let action, action.traits.isImmediate, request.waitMilliseconds == 0,
      !action.isAsynchronous(protocolVersion: request.protocolVersion)
    {
      return await answerFirst(request, action, bytes: bytes)
    }
    log.received(request, bytes: bytes, isLoggable: action != nil && isLoggable)
    if let action, !action.isAsynchronous(protocolVersion: request.protocolVersion) {
      let replyBus = action.method == .readOutput ? outputBus : bus
      // With no hold on the loop: what waits for a script or a disk must not delay the next message.
      Task {
        let response = await answer(request, action)
        await reply(response, to: request.replyTo, over: replyBus, method: request.method, isLoggable: isLoggable)
      }
    } else {
      let response = await respond(request, action)
      if var reading = request.reading, let task = response.begunTask {
        reading.taskID = task
        Task { [reading] in await replyWithOutput(reading, response, request, isLoggable: isLoggable) }
      } else if request.waitMilliseconds > 0, let task = response.begunTask {
        Task { await replyWhenOver(task, request, isLoggable: isLoggable) }
      } else {
        await reply(response, to: request.replyTo, over: bus, method: request.method, isLoggable: isLoggable)
      }
    }
  }

  /// Answers as if the task that a request has begun had been asked for at once.
  private func replyWhenOver(_ task: String, _ request: AgentRequest, isLoggable: Bool) async {
    let question = AgentRequest(
      .getTask, [.string(task)], replyTo: request.replyTo, waitMilliseconds: request.waitMilliseconds)
    guard let action = registry[question.method] else { return }
    await reply(
      await answer(question, action), to: request.replyTo, over: bus, method: request.method, isLoggable: isLoggable)
  }

  /// Answers what a request has begun together with what is printed, as if that had been asked for at once.
  private func replyWithOutput(
    _ reading: ReadOutputRequest, _ begun: AgentResponse, _ request: AgentRequest, isLoggable: Bool
  ) async {
    var response = begun
    if let output = try? await readOutput.reply(to: reading) {
      response = .value(AgentTaskReply(taskID: reading.taskID, output: output).value)
    }
    await reply(response, to: request.replyTo, over: outputBus, method: request.method, isLoggable: isLoggable)
  }

  /// What takes no time is answered before it is written down.
  private func answerFirst(_ request: AgentRequest, _ action: any AgentAction, bytes: Int) async {
    let response = await answer(request, action)
    let reply = response.bytes()
    let failure = await publish(reply, to: request.replyTo, over: bus)
    late.add(over: bus) { [log, audit] in
      let isLoggable = action.traits.isLoggable
      log.received(request, bytes: bytes, isLoggable: isLoggable)
      log.answering(response, reply, to: request.replyTo, isLoggable: isLoggable)
      audit?.note(request.method, replyTo: request.replyTo, failure: failure)
    }
  }

  private func respond(_ request: AgentRequest, _ action: (any AgentAction)?) async -> AgentResponse {
    guard let action else { return .exception(message: AgentTexts.unknownMessage(request.method)) }
    if action.isAsynchronous(protocolVersion: request.protocolVersion) { return await begin(request, action) }
    return await answer(request, action)
  }

  private func begin(_ request: AgentRequest, _ action: any AgentAction) async -> AgentResponse {
    do {
      let (id, isRepeat) = try await tasks.begin(request, action)
      if isRepeat { log.repeated(request, task: id) }
      return .value(AgentTaskReply(taskID: id).value)
    } catch {
      return .exception(message: AgentTexts.actionFailed(request.method, "\(error)"))
    }
  }

  private func answer(_ request: AgentRequest, _ action: any AgentAction) async -> AgentResponse {
    let call = TaskCall(
      arguments: request.arguments, protocolVersion: request.protocolVersion,
      waitMilliseconds: request.waitMilliseconds)
    do {
      return .value(try await action.perform(call))
    } catch {
      return .exception(message: AgentTexts.actionFailed(request.method, "\(error)"))
    }
  }

  private func reply(
    _ response: AgentResponse, to subject: String?, over bus: any MessageBus, method: String, isLoggable: Bool
  ) async {
    let bytes = response.bytes()
    log.answering(response, bytes, to: subject, isLoggable: isLoggable)
    let failure = await publish(bytes, to: subject, over: bus)
    audit?.note(method, replyTo: subject.flatMap { $0.isEmpty ? nil : $0 }, failure: failure)
  }

  /// - Returns: why it could not be sent.
  private func publish(_ bytes: [UInt8], to subject: String?, over bus: any MessageBus) async -> String? {
    guard let subject, !subject.isEmpty else { return "the request names no subject to answer on" }
    do {
      try await bus.publish(subject, bytes)
      return nil
    } catch {
      log.undeliverable(subject, error)
      return "\(error)"
    }
  }
}

extension AgentResponse {
  /// The task that a request has begun; nil for all other answers.
  fileprivate var begunTask: String? {
    guard case .value(let value) = self else { return nil }
    return AgentTaskReply(value)?.taskID
  }
}
