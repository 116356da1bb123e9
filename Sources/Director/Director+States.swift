import Documents
import Formats
import Manifests

/// `start`, `stop`, `restart` and `recreate`, as the API offers them (reference/director.md A.5): the last deploy once
/// more, with the wish for some instances.
extension Director {
  /// How instances are changed.
  public struct StateOrder: Sendable, Hashable {
    public var change: StateChange
    /// Touch the one instance and nothing else.
    public var isAlone = false
    /// VMs whose agents do not answer are made anew, or deleted, without asking them.
    public var fix = false
    public var skipDrain = false
    public var dryRun = false
    public var canaries: String?
    public var maxInFlight: String?

    public init(_ change: StateChange) { self.change = change }
  }

  public func changeState(of name: String, _ order: StateOrder, user: String) async throws -> Int {
    let record = try await deployment(name)
    guard let manifest = record.manifest, let parsed = try await variables.manifest(of: record) else {
      throw DirectorFailure(
        40004, "Deployment '\(name)' was never deployed to its end: deploy it before changing its instances")
    }
    let target = order.change.target
    let all = try await records.instances(of: name)
    let meant = all.filter(target.matches)
    if let group = target.group, !all.contains(where: { $0.group == group }) {
      throw DirectorFailure(70009, status: 404, "Instance group '\(group)' doesn't exist in deployment '\(name)'")
    }
    if let id = target.id, meant.isEmpty {
      throw DirectorFailure(70001, status: 404, "Instance '\(name)/\(target.group ?? "*")/\(id)' doesn't exist")
    }
    guard !order.isAlone || (meant.count == 1 && target.id != nil) else {
      throw DroverError(.invalid, "without converging, one instance is changed: give its group and id, not '\(target)'")
    }
    let errands = Set(parsed.instanceGroups.filter { $0.lifecycle == .errand }.map(\.name))
    if let group = target.group, errands.contains(group) {
      throw DroverError(
        .invalid, "instance group '\(group)' is an errand: it has no VMs to \(order.change.action.verb); run it instead"
      )
    }
    var deploy = DeployOrder(manifest: manifest)
    deploy.changes = meant.filter { !errands.contains($0.group) }.map {
      StateChange(target: InstanceSelector(group: $0.group, id: $0.id), action: order.change.action)
    }
    deploy.keepsVersions = true
    deploy.onlyInstance = order.isAlone ? meant.first?.id : nil
    deploy.fix = order.fix
    deploy.dryRun = order.dryRun
    deploy.skipDrain = order.skipDrain ? "*" : nil
    deploy.canaries = order.canaries
    deploy.maxInFlight = order.maxInFlight
    _ = try deploy.options(unresponsive: [])
    return try await tasks.start(
      TaskBoard.Order(
        type: "update_deployment",
        description: "\(order.change.action.verb) \(target)\(order.dryRun ? " (dry run)" : "")", user: user,
        deployment: name, request: deploy))
  }
}

extension StateChange.Action {
  /// As people say it.
  var verb: String {
    switch self {
    case .started: "start"
    case .stopped: "stop"
    case .detached: "stop --hard"
    case .restart: "restart"
    case .recreate: "recreate"
    }
  }
}
