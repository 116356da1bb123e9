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
    let arguments: Value =
      if !isLoggable {
        "‹not logged›"
      } else if bytes > maximumParsed {
        .string("‹\(bytes) bytes›")
      } else {
        Redaction.apply(to: .array(request.arguments))
      }
    let replyTo = request.replyTo.map { JSON.text(.string($0)) } ?? "null"
    return bounded(
      "{\"protocol\":\(request.protocolVersion),\"method\":\(JSON.text(.string(request.method))),"
        + "\"arguments\":\(JSON.text(arguments)),\"reply_to\":\(replyTo)}")
  }

  /// - Parameter bytes: of the response, as they are sent.
  func answering(_ response: AgentResponse, _ bytes: [UInt8], to subject: String?, isLoggable: Bool) {
    guard logger.logLevel <= .debug else { return }
    let text: String
    if !isLoggable, case .value = response {
      text = "‹not logged›"
    } else if bytes.count > Self.maximumParsed {
      text = "‹\(bytes.count) bytes›"
    } else if case .value(.string(let value)) = response, Redaction.text(value) == value {
      text = Self.bounded(String(decoding: bytes, as: UTF8.self))
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
