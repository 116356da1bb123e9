import AgentProtocol
import Files
import Formats
import Messaging
import Processes
import Surroundings
import Testing

@testable import Agent

/// What a director may do wrong, or only do.
extension AgentProcess {
  var subject: String { "agent.\(TestAgent.id)" }
  var log: String { Files.textIfPresent("\(folder)/agent.log") ?? "" }

  /// Sends a request and does not wait for its answer.
  func send(_ method: String, _ arguments: [Value] = [], id: String) async throws {
    let reply = AgentSubjects.reply(directorID: "test", agentID: TestAgent.id, requestID: id)
    try await director.publish(subject, AgentRequest(method: method, arguments: arguments, replyTo: reply).bytes)
  }

  /// Sends bytes that name a reply subject, and returns what is answered there.
  func answer(
    timeout: Duration = .seconds(20), to message: (String) -> [UInt8]
  ) async throws -> AgentResponse {
    let reply = AgentSubjects.reply(
      directorID: "test", agentID: TestAgent.id, requestID: Surroundings.system.identifier())
    return try AgentResponse(await inbox.request(subject, message(reply), reply: reply, timeout: timeout))
  }

  /// Sends a request until it is answered, as a director does whose agent is killed meanwhile, and waits for its task.
  func insist(_ method: String, _ arguments: [Value] = [], id: String) async throws -> Value {
    let value = try TestAgent.value(await request(method, arguments, id: id))
    guard let task = AgentTaskReply(value) else { return value }
    return try await result(of: task.taskID)
  }

  /// The text of the exception that a request or its task ends with.
  func failure(_ method: String, _ arguments: Value...) async throws -> String {
    do {
      let value = try await insist(method, arguments, id: Surroundings.system.identifier())
      return "no failure: \(JSON.text(value))"
    } catch let error as DroverError {
      return error.message
    }
  }

  func expectAlive(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(try await request("ping") == .value("pong"), sourceLocation: sourceLocation)
  }
}
