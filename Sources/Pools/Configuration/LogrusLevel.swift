public import Logging

extension Logger.Level {
  /// The level of a name as Boskos's programs take it: panic, fatal, error, warning, info, debug or trace.
  public init?(logrus name: String) {
    switch name.lowercased() {
    case "panic", "fatal": self = .critical
    case "error": self = .error
    case "warning", "warn": self = .warning
    case "info": self = .info
    case "debug": self = .debug
    case "trace": self = .trace
    default: return nil
    }
  }
}
