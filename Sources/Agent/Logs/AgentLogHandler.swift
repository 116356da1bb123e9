import Glibc
public import Logging

/// Writes the log to standard error in the agent's form: `[tag] 2026/11/21 09:12:00 INFO - text` (reference/agent.md 20).
public struct AgentLogHandler: LogHandler {
  public var metadata: Logger.Metadata = [:]
  public var logLevel: Logger.Level = .debug
  private let tag: String

  public init(tag: String) { self.tag = tag }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    let all = event.metadata.map { metadata.merging($0) { _, last in last } } ?? metadata
    LogLines.standardError.add(
      Self.line(tag: tag, time: time(nil), level: event.level, message: event.message.description, metadata: all))
  }

  static func line(
    tag: String, time: time_t, level: Logger.Level, message: String, metadata: Logger.Metadata
  ) -> String {
    let details =
      metadata.isEmpty ? "" : metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    var line = ""
    line.reserveCapacity(tag.utf8.count + message.utf8.count + details.utf8.count + 40)
    for part in ["[", tag, "] ", stamp(time), " ", name(level), " - ", message, details, "\n"] { line += part }
    return line
  }

  private static func name(_ level: Logger.Level) -> String {
    switch level {
    case .trace, .debug: "DEBUG"
    case .info, .notice: "INFO"
    case .warning: "WARN"
    case .error, .critical: "ERROR"
    }
  }

  private static func stamp(_ time: time_t) -> String {
    var time = time
    var parts = tm()
    gmtime_r(&time, &parts)
    let numbers = [parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
    var text = String(parts.tm_year + 1900)
    for (number, mark) in zip(numbers, ["/", "/", " ", ":", ":"]) {
      text += mark
      if number < 10 { text += "0" }
      text += String(number)
    }
    return text
  }
}
