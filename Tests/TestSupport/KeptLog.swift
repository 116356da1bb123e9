public import Logging
import Synchronization

/// All that is logged, at every level.
public final class KeptLog: Sendable {
  private let lines = Mutex<[String]>([])

  public var all: [String] { lines.withLock { $0 } }

  public init() {}

  public var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(log: self) }
    logger.logLevel = .trace
    return logger
  }

  private func add(_ line: String) { lines.withLock { $0.append(line) } }

  private struct Handler: LogHandler {
    let log: KeptLog
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let error = event.error.map { " \($0)" } ?? ""
      log.add("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])\(error)")
    }
  }
}
