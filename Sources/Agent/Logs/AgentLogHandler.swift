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
    let text = Self.line(
      tag: tag, time: time(nil), level: event.level, message: event.message.description, metadata: all)
    let bytes = Array(text.utf8)
    // One write, so that lines of several threads do not mix.
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  static func line(
    tag: String, time: time_t, level: Logger.Level, message: String, metadata: Logger.Metadata
  ) -> String {
    let details = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    return "[\(tag)] \(stamp(time)) \(name(level)) - \(message)\(details)\n"
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
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)/\(two(parts.tm_mon + 1))/\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}
