/// Something that can be said of a service, in monit's terms: what was looked at, and how it turned out.
public struct ServiceEvent: Sendable, Hashable {
  /// What was looked at. The raw value is monit's bit in a service's status (`reference/lifecycle.md 3.3`).
  public enum Kind: Int, Sendable, Hashable, CaseIterable {
    // In the order in which monit names them.
    case action = 0x20000
    case checksum = 0x1
    case connection = 0x20
    case data = 0x800
    case execution = 0x1000
    case group = 0x100
    case type = 0x400
    case existence = 0x200
    case permission = 0x40
    case resource = 0x2
    case size = 0x10
    case timeout = 0x4
    case timestamp = 0x8
    case user = 0x80

    /// Of several things that are wrong, monit names the one with the lowest rank.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  public enum Turn: Sendable, Hashable, CaseIterable { case failed, succeeded, changed, unchanged }

  public var kind: Kind
  public var turn: Turn

  public init(_ kind: Kind, _ turn: Turn) {
    self.kind = kind
    self.turn = turn
  }

  public static let doesNotExist = ServiceEvent(.existence, .failed)
  public static let exists = ServiceEvent(.existence, .succeeded)
  public static let executionFailed = ServiceEvent(.execution, .failed)
  public static let executionSucceeded = ServiceEvent(.execution, .succeeded)
  public static let actionDone = ServiceEvent(.action, .changed)

  /// The name that monit 5.2.5 gives it, by which alerts are classified.
  public var name: String {
    switch (kind, turn) {
    case (.action, _): "Action done"
    case (.resource, .failed): "Resource limit matched"
    case (.timeout, .failed): "Timeout"
    case (.timeout, .succeeded): "Timeout recovery"
    case (.existence, .failed): "Does not exist"
    case (.existence, .succeeded): "Exists"
    case (.type, .failed): "Invalid type"
    case (.data, .failed): "Data access error"
    case (_, .failed): "\(subject) failed"
    case (_, .succeeded): "\(subject) succeeded"
    case (_, .changed): "\(subject) changed"
    case (_, .unchanged): "\(subject) not changed"
    }
  }

  private var subject: String {
    switch kind {
    case .checksum: "Checksum"
    case .resource: "Resource limit"
    case .timeout: "Timeout"
    case .timestamp: "Timestamp"
    case .size: "Size"
    case .connection: "Connection"
    case .permission: "Permission"
    case .user: "UID"
    case .group: "GID"
    case .existence: "Existence"
    case .type: "Type"
    case .data: "Data access"
    case .execution: "Execution"
    case .action: "Action"
    }
  }
}
