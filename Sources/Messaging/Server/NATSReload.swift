import Formats

/// What nats-server has logged about a reload.
enum NATSReload: Equatable {
  case done
  case refused(String)

  /// Looks through what was logged since the signal; nil if nothing was said yet.
  init?(log: some StringProtocol) {
    var outcome: NATSReload?
    for line in log.split(separator: "\n") {
      if line.hasSuffix("Reloaded server configuration") { outcome = .done }
      if let range = line.firstRange(of: "Failed to reload server configuration: ") {
        outcome = .refused(String(line[range.upperBound...]))
      }
    }
    guard let outcome else { return nil }
    self = outcome
  }
}
