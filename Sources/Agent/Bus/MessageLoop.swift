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
  let tasks: AgentTasks
  let log: MessageLog

  /// Subscribes, and answers until the bus is closed.
  ///
  /// - Throws: when the bus refuses the subscription or is lost for good.
  func run(onSubscribed: @Sendable () async -> Void = {}) async throws {
    let requests = try await bus.subscribe(AgentSubjects.requests(agentID: agentID))
    await onSubscribed()
    for try await message in requests { await handle(message.payload) }
  }

  func handle(_ payload: [UInt8]) async {
    switch AgentRequest.read(payload) {
    case .unreadable(let reason): log.unreadable(reason, bytes: payload.count)
    case .refused(let replyTo, let message):
      await reply(.exception(message: message), to: replyTo, over: bus, isLoggable: true)
    case .request(let request): await dispatch(request)
    }
  }

  private func dispatch(_ request: AgentRequest) async {
    guard let action = registry[request.method] else {
      log.received(request, isLoggable: false)
      await reply(
        .exception(message: AgentTexts.unknownMessage(request.method)), to: request.replyTo, over: bus,
        isLoggable: true)
      return
    }
    let isLoggable = action.traits.isLoggable
    log.received(request, isLoggable: isLoggable)
    if action.isAsynchronous(protocolVersion: request.protocolVersion) {
      await reply(begin(request, action), to: request.replyTo, over: bus, isLoggable: isLoggable)
    } else if action.traits.isImmediate {
      await reply(answer(request, action), to: request.replyTo, over: bus, isLoggable: isLoggable)
    } else {
      let replyBus = action.method == .readOutput ? outputBus : bus
      // With no hold on the loop: what waits for a script or a disk must not delay the next message.
      Task {
        let response = await answer(request, action)
        await reply(response, to: request.replyTo, over: replyBus, isLoggable: isLoggable)
      }
    }
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
    let call = TaskCall(arguments: request.arguments, protocolVersion: request.protocolVersion)
    do {
      return .value(try await action.perform(call))
    } catch {
      return .exception(message: AgentTexts.actionFailed(request.method, "\(error)"))
    }
  }

  private func reply(
    _ response: AgentResponse, to subject: String?, over bus: any MessageBus, isLoggable: Bool
  ) async {
    let bytes = response.bytes()
    log.answering(response, bytes: bytes.count, to: subject, isLoggable: isLoggable)
    guard let subject, !subject.isEmpty else { return }
    do {
      try await bus.publish(subject, bytes)
    } catch {
      log.undeliverable(subject, error)
    }
  }
}
