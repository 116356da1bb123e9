import AgentProtocol
import Documents
public import Formats
import Manifests
import Surroundings

/// Deployments and their instances, as the API offers them (reference/director.md A.5).
extension Director {
  public func deployment(_ name: String) async throws -> DeploymentRecord {
    guard let record = try await records.deployments.get(name)?.body else {
      throw DirectorFailure.deploymentNotFound(name)
    }
    return record
  }

  public func deploymentsListing() async throws -> Value {
    let locked = Set(await tasks.heldLocks.flatMap { $0.resources.keys })
    let newest = Set(try await configStore.list(type: "cloud", latestOnly: true).map(\.id))
    let clouds = Set(try await records.configs.list(prefix: "cloud/").map(\.body.id))
    func pairs(_ names: [String]) -> Value {
      .array(
        names.map { name in
          let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
          return ["name": .string(parts[0]), "version": .string(parts.last ?? "")]
        })
    }
    return .array(
      try await records.deployments.list().map(\.body).map { deployment -> Value in
        let ids = clouds.intersection(deployment.configIDs)
        return [
          "name": .string(deployment.name), "teams": [],
          "cloud_config": .string(ids.isEmpty ? "none" : ids.isSubset(of: newest) ? "latest" : "outdated"),
          "releases": pairs(deployment.releases), "stemcells": pairs(deployment.stemcells),
          "locked": .bool(locked.contains("deployment:\(deployment.name)")),
        ]
      })
  }

  /// Starts a deploy. A manifest that cannot be read is refused at once.
  public func deploy(_ order: DeployOrder, user: String, contextID: String = "") async throws -> Int {
    let document = try YAML.parse(order.manifest, file: "manifest")
    if let name = document["name"], !Interpolation.names(in: name).isEmpty {
      throw DeploymentManifest.variableName(name.string ?? "")
    }
    let manifest = try await readable(document)
    _ = try order.options(unresponsive: [])
    try await manifest.refuseUnknownZones(engines.zones)
    return try await tasks.start(
      TaskBoard.Order(
        type: "update_deployment", description: order.dryRun ? "create deployment (dry run)" : "create deployment",
        user: user, deployment: manifest.name, contextID: contextID, request: order))
  }

  /// A manifest as far as it can be read before its variables are made.
  private func readable(_ document: Value) async throws -> DeploymentManifest {
    let filled = try await variables.filledByNewest(document)
    do { return try DeploymentManifest(filled) } catch {
      let left = Interpolation.names(in: filled).filter {
        !Interpolation.names(in: document["variables"] ?? .null).contains($0)
      }
      guard !left.isEmpty else { throw error }
      throw DroverError(
        .invalid, "\(error) (no value yet: \(left.map { "((\($0)))" }.joined(separator: ", ")))",
        number: (error as? DroverError)?.number)
    }
  }

  /// How a manifest differs from what is deployed, and with which configurations it would be deployed.
  public func deploymentDifference(_ name: String, manifest text: String, redact: Bool) async throws -> Value {
    let new = try YAML.parse(text, file: "manifest")
    let record = try await records.deployments.get(name)?.body
    let old = try record?.manifest.map { try YAML.parse($0, file: "manifest of '\(name)'") }
    let newest = try await configStore.forDeploys()
    let before = try await configStore.configs(ids: record?.configIDs ?? [])
    func whole(_ manifest: Value?, _ configs: [ConfigRecord]) throws -> Value {
      func documents(_ type: String) throws -> [Value] {
        try configs.filter { $0.type == type }.map { try $0.document() }
      }
      return ManifestDiff.document(
        manifest: manifest ?? [:], cloudConfigs: try documents("cloud"), runtimeConfigs: try documents("runtime"))
    }
    func ids(_ type: String) -> Value { .array(newest.filter { $0.type == type }.map { .int($0.id) }) }
    let lines = ManifestDiff.lines(
      from: try whole(old, before), to: try whole(new, newest), redact: redact)
    return [
      "context": ["cloud_config_ids": ids("cloud"), "runtime_config_ids": ids("runtime")],
      "diff": ManifestDiff.value(lines),
    ]
  }

  public func deleteDeployment(_ name: String, force: Bool, user: String) async throws -> Int {
    _ = try await deployment(name)
    return try await tasks.start(
      TaskBoard.Order(
        type: "delete_deployment", description: "delete deployment \(name)", user: user, deployment: name,
        request: DeleteDeployment.Order(name: name, force: force)))
  }

  // MARK: Instances

  public func plainInstances(_ name: String) async throws -> Value {
    _ = try await deployment(name)
    return .array(
      try await records.instances(of: name).map { instance -> Value in
        [
          "agent_id": Value(instance.vm?.agentID), "cid": Value(instance.vm?.cid), "job": .string(instance.group),
          "index": .int(instance.index), "id": .string(instance.id), "az": Value(instance.az),
          "ips": Value(instance.addresses.values.sorted()),
          "vm_created_at": Value(instance.vm.map { Timestamp(seconds: $0.createdAt).text }),
          "expects_vm": .bool(instance.state != .detached && instance.fingerprint != nil),
        ]
      })
  }

  public func plainVMs(_ name: String) async throws -> Value {
    _ = try await deployment(name)
    return .array(
      try await records.instances(of: name).filter { $0.vm?.cid != nil }.map { instance -> Value in
        [
          "agent_id": Value(instance.vm?.agentID), "cid": Value(instance.vm?.cid), "job": .string(instance.group),
          "index": .int(instance.index), "id": .string(instance.id), "az": Value(instance.az),
          "ips": Value(instance.addresses.values.sorted()),
          "vm_created_at": Value(instance.vm.map { Timestamp(seconds: $0.createdAt).text }),
          "permanent_nats_credentials": true,
        ]
      })
  }

  /// Starts the task that asks all agents how they are.
  public func describeInstances(_ name: String, vmsOnly: Bool, user: String) async throws -> Int {
    _ = try await deployment(name)
    return try await tasks.start(
      TaskBoard.Order(
        type: "vms", description: vmsOnly ? "retrieve vm-stats" : "retrieve instance-stats", user: user,
        deployment: name, request: DescribeInstances.Order(deployment: name, vmsOnly: vmsOnly)))
  }
}
