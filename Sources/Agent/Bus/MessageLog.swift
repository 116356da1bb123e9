import AgentProtocol
import Formats
import Logging

/// What passes between director and agent, in the agent's log: readable, bounded, and without what must stay secret
/// (reference/agent.md 20; slides 9 to 22).
struct MessageLog: Sendable {
  let logger: Logger
  /// Longer payloads are cut to head and tail, in bytes.
  static let maximumBytes = 4096
  /// Of longer answers only the size is said.
  static let maximumParsed = 65_536
  private static let frame = String(repeating: "*", count: 20)

  func received(_ request: AgentRequest, isLoggable: Bool) {
    guard logger.logLevel <= .debug else { return }
    let text = isLoggable ? Self.bounded(JSON.text(Redaction.apply(to: request.value))) : "‹not logged›"
    logger.debug("Message \(request.method)\n\(Self.frame)\n\(text)\n\(Self.frame)")
  }

  func answering(_ response: AgentResponse, bytes: Int, to subject: String?, isLoggable: Bool) {
    guard logger.logLevel <= .debug else { return }
    let text: String
    if !isLoggable {
      text = "‹not logged›"
    } else if bytes > Self.maximumParsed {
      text = "‹\(bytes) bytes›"
    } else {
      text = Self.bounded(JSON.text(Redaction.apply(to: response.value)))
    }
    logger.debug("Response to \(subject ?? "nobody")\n\(Self.frame)\n\(text)\n\(Self.frame)")
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
