import Documents

/// The director's documents, as collections of records.
struct Records: Sendable {
  let store: any DocumentStore
  let releases: DocumentCollection<ReleaseRecord>
  let compiledPackages: DocumentCollection<CompiledPackageRecord>
  let stemcells: DocumentCollection<StemcellRecord>
  let deployments: DocumentCollection<DeploymentRecord>
  let configs: DocumentCollection<ConfigRecord>
  let instances: DocumentCollection<InstanceRecord>
  let addresses: DocumentCollection<AddressRecord>
  let compilationVMs: DocumentCollection<CompilationVMRecord>
  let orphanDisks: DocumentCollection<OrphanDiskRecord>
  let power: DocumentCollection<PowerRecord>
  let logBundles: DocumentCollection<LogBundleRecord>
  let errandStates: DocumentCollection<ErrandStateRecord>
  let schedules: DocumentCollection<ScheduleRecord>
  let leaseTurns: DocumentCollection<LeaseTurnRecord>
  let poolErrands: DocumentCollection<PoolErrandRecord>
  let variables: DocumentCollection<VariableRecord>

  init(_ store: any DocumentStore) {
    self.store = store
    releases = DocumentCollection(store, kind: "release")
    compiledPackages = DocumentCollection(store, kind: "compiled-package")
    stemcells = DocumentCollection(store, kind: "stemcell")
    // Manifests and configurations come with the values of their variables.
    deployments = DocumentCollection(store, kind: "deployment", sealing: [SealedField("manifest", \.manifest)])
    configs = DocumentCollection(store, kind: "config", sealing: [SealedField("content", \.content)])
    // Each task looks at all of a deployment's.
    instances = DocumentCollection(store, kind: "instance", remembering: 4096)
    addresses = DocumentCollection(store, kind: "address", remembering: 4096)
    compilationVMs = DocumentCollection(store, kind: "compilation-vm")
    orphanDisks = DocumentCollection(store, kind: "orphan-disk")
    power = DocumentCollection(store, kind: "power")
    logBundles = DocumentCollection(store, kind: "log-bundle")
    errandStates = DocumentCollection(store, kind: "errand-state")
    schedules = DocumentCollection(store, kind: "schedule")
    leaseTurns = DocumentCollection(store, kind: "lease-turn")
    poolErrands = DocumentCollection(store, kind: "pool-errand", sealing: [SealedField("answer", \.answer)])
    variables = DocumentCollection(
      store, kind: "variable", sealing: [SealedField("values", \.values)], remembering: 1024)
  }

  /// The instances of a deployment, in order of group and id.
  func instances(of deployment: String) async throws -> [InstanceRecord] {
    try await instances.list(prefix: "\(deployment)/").map(\.body)
  }
}

/// A VM on which packages are compiled. Kind `compilation-vm`, named by its agent id; gone when the VM is.
struct CompilationVMRecord: Codable, Sendable, Hashable {
  var agentID: String
  /// The task that made it.
  var task: Int
  var cid: String?
  var network: String
  var address: String?
}

/// A persistent disk that no instance has any more, kept for some days. Kind `orphan-disk`, named by its CPI id.
struct OrphanDiskRecord: Codable, Sendable, Hashable {
  var disk: DiskRecord
  var deployment: String
  /// `group/uuid`.
  var instance: String
  /// Seconds since 1970.
  var orphanedAt: Int
}
