import AgentProtocol
import Formats
import Logging

/// What passes between director and agent, in the agent's log: a line for each, readable, bounded, and without what must
/// stay secret (reference/agent.md 20; slides 9 to 22).
///
///     [agent] 2026/11/21 09:12:00 INFO - Message: {"protocol":3,"method":"ping","arguments":[],"reply_to":"director.…"}
///     [agent] 2026/11/21 09:12:00 DEBUG - Response to director.…: {"value":"pong"}
struct MessageLog: Sendable {
  let logger: Logger
  /// Longer payloads are cut to head and tail, in bytes.
  static let maximumBytes = 4096
  /// Of longer messages only the size is said.
  static let maximumParsed = 65_536

  /// - Parameter bytes: how long the message was.
  func received(_ request: AgentRequest, bytes: Int, isLoggable: Bool) {
    guard logger.logLevel <= .info else { return }
    logger.info("Message: \(Self.text(of: request, bytes: bytes, isLoggable: isLoggable))")
  }

  static func text(of request: AgentRequest, bytes: Int, isLoggable: Bool) -> String {
    guard case .object(var value) = request.value else { return "" }
    if !isLoggable {
      value["arguments"] = "‹not logged›"
    } else if bytes > maximumParsed {
      value["arguments"] = .string("‹\(bytes) bytes›")
    } else {
      value["arguments"] = Redaction.apply(to: .array(request.arguments))
    }
    return bounded(JSON.text(.object(value)))
  }

  func answering(_ response: AgentResponse, bytes: Int, to subject: String?, isLoggable: Bool) {
    guard logger.logLevel <= .debug else { return }
    let text: String
    if !isLoggable, case .value = response {
      text = "‹not logged›"
    } else if bytes > Self.maximumParsed {
      text = "‹\(bytes) bytes›"
    } else {
      text = Self.bounded(JSON.text(Redaction.apply(to: response.value)))
    }
    logger.debug("Response to \(subject ?? "nobody"): \(text)")
  }

  func unreadable(_ reason: String, bytes: Int) {
    logger.error(
      "a message cannot be read, and so not be answered", metadata: ["reason": "\(reason)", "bytes": "\(bytes)"])
  }

  func repeated(_ request: AgentRequest, task: String) {
    logger.info("a request was repeated", metadata: ["method": "\(request.method)", "task": "\(task)"])
  }

  func undeliverable(_ subject: String, _ error: any Error) {
    logger.error("an answer cannot be sent", metadata: ["subject": "\(subject)", "error": "\(error)"])
  }

  private static func bounded(_ text: String) -> String { AgentTexts.shortened(text, to: maximumBytes) }
}
