import Formats

/// What a deploy was told beside the manifest (`reference/director.md A.5`).
public struct DeployOptions: Sendable, Hashable, Codable {
  /// Make every VM anew.
  public var recreate: Bool
  /// Ids of instances whose agent does not answer and whose VM is to be made anew (`--fix`).
  public var unresponsive: Set<String>
  /// Replaces the canaries of the manifest and its groups: `2` or `"10%"`.
  public var canaries: String?
  /// Replaces the `max_in_flight` of the manifest and its groups.
  public var maxInFlight: String?
  public var skipDrain: SkipDrain
  /// State changes that came with this deploy (`bosh stop web/0`): the last that fits an instance counts.
  public var changes: [StateChange]
  /// Agent ids of the VMs that instances had when the task began, by instance id; nil means those that they have. A VM
  /// that the task itself has made is not made anew when it plans again after a restart of the server.
  public var originalVMs: [String: String]?
  /// Ids of instances that this task is through with, so that it does not restart them once more.
  public var finished: Set<String>
  /// Whether the task goes on after a restart of the server: an instance that it was making is then made further, instead
  /// of being stopped first, so that no script runs that would not have run otherwise.
  public var resuming: Bool

  public init(
    recreate: Bool = false, unresponsive: Set<String> = [], canaries: String? = nil, maxInFlight: String? = nil,
    skipDrain: SkipDrain = SkipDrain(), changes: [StateChange] = [], originalVMs: [String: String]? = nil,
    finished: Set<String> = [], resuming: Bool = false
  ) {
    self.originalVMs = originalVMs
    self.finished = finished
    self.resuming = resuming
    self.recreate = recreate
    self.unresponsive = unresponsive
    self.canaries = canaries
    self.maxInFlight = maxInFlight
    self.skipDrain = skipDrain
    self.changes = changes
  }
}

/// For which instances `pre-stop` and `drain` are left out: `*`, or `web,db/UUID`.
public struct SkipDrain: Sendable, Hashable, Codable {
  public var all: Bool
  public var instances: [InstanceSelector]

  public init(all: Bool = false, instances: [InstanceSelector] = []) {
    self.all = all
    self.instances = instances
  }

  /// Reads the query parameter `skip_drain`.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    let parts = text.split(separator: ",").map(String.init)
    all = parts.contains("*") || text == "true"
    instances = all ? [] : try parts.map(InstanceSelector.init)
  }

  public func covers(_ record: InstanceRecord) -> Bool { all || instances.contains { $0.matches(record) } }
}

/// Some instances: a group's, or one of a group by UUID or index.
public struct InstanceSelector: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Nil for all groups.
  public var group: String?
  /// UUID or index; nil for all of the group.
  public var id: String?

  public init(group: String? = nil, id: String? = nil) {
    self.group = group
    self.id = id
  }

  /// Reads `web` or `web/0`; `*` is all.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count), !parts.contains("") else {
      throw DroverError(.invalid, "'\(text)': expected GROUP or GROUP/ID")
    }
    group = parts[0] == "*" ? nil : parts[0]
    id = parts.count == 2 && parts[1] != "*" ? parts[1] : nil
  }

  public func matches(_ record: InstanceRecord) -> Bool {
    (group ?? record.group) == record.group && (id.map { $0 == record.id || $0 == String(record.index) } ?? true)
  }

  public var description: String { (group ?? "*") + (id.map { "/\($0)" } ?? "") }
}

/// What an operator wants of some instances.
public struct StateChange: Sendable, Hashable, Codable {
  public enum Action: String, Sendable, Hashable, Codable {
    case started, stopped, detached, restart, recreate
  }

  public var target: InstanceSelector
  public var action: Action

  public init(target: InstanceSelector, action: Action) {
    self.target = target
    self.action = action
  }
}
