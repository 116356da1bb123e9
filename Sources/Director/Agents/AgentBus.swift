public import AgentProtocol
public import Formats
public import Messaging
public import Surroundings

/// Requests to agents over the bus and their answers (reference/director.md C.8).
public struct AgentBus: Sendable {
  private let inbox: ReplyInbox
  /// The server's id, for ever: an answer to a request that its predecessor sent is understood.
  private let directorID: String

  /// Begins to listen for answers.
  public init(bus: any MessageBus, directorID: String, surroundings: Surroundings) async throws {
    self.directorID = directorID
    inbox = try await ReplyInbox(bus: bus, pattern: "director.\(directorID).>", surroundings: surroundings)
  }

  /// Sends a request once and waits for its answer.
  ///
  /// - Parameters:
  ///   - wait: how long the answer may wait for the end of a task, in milliseconds.
  ///   - reading: what is to be read of the output of the task that is begun.
  /// - Throws: ``DroverError``: `timeout` when no answer comes in time, `unavailable` when nobody listens there now.
  public func ask(
    agent: String, _ method: AgentMethod, _ arguments: [Value], identity: RequestIdentity, wait: Int = 0,
    reading: ReadOutputRequest? = nil, timeout: Duration
  ) async throws -> AgentResponse {
    let reply = AgentSubjects.reply(directorID: directorID, agentID: agent, requestID: identity.text)
    let request = AgentRequest(method, arguments, replyTo: reply, waitMilliseconds: wait, reading: reading)
    let bytes = try await inbox.request(
      AgentSubjects.requests(agentID: agent), request.bytes, reply: reply, timeout: timeout, inHeader: true)
    return try AgentResponse(bytes)
  }

  public func close() { inbox.close() }
}
