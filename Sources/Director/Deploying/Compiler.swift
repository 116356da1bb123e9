import AgentProtocol
import Blobs
import Clouds
import Documents
import Formats
import Manifests

/// Compiles packages on compilation VMs, dependencies first; what has been compiled once is never compiled again
/// (reference/director.md C.3).
struct Compiler: Sendable {
  let director: Director
  let context: TaskContext
  let resolved: ResolvedDeployment

  private var engines: DirectorEngines { director.engines }
  private var records: Records { director.records }

  /// The compiled packages of the deployment that exist, by key.
  func compiled() async throws -> [String: CompiledPackageRecord] {
    var found: [String: CompiledPackageRecord] = [:]
    for target in resolved.packages.targets {
      if let record = try await records.compiledPackages.get(target.key)?.body { found[target.key] = record }
    }
    return found
  }

  /// Compiles what is missing. No compilation VM of this task is left over, whatever happens, unless the server stops: the
  /// next one goes on with them.
  func run() async throws {
    do {
      try await compileMissing()
    } catch {
      if !Task.isCancelled { try? await deleteVMs() }
      throw error
    }
    try await deleteVMs()
  }

  /// Deletes those that this task has made, also before a restart.
  private func deleteVMs() async throws {
    let mine = try await records.compilationVMs.list().map(\.body).filter { $0.task == context.id }
    _ = try await inParallel(mine, atMost: 8) { try await deleteVM($0) }
  }

  private func compileMissing() async throws {
    let missing = resolved.packages.missing(Set(try await compiled().keys))
    guard !missing.isEmpty else { return }
    let queue = CompilationQueue(resolved.packages, compiled: Set(try await compiled().keys))
    let stage = context.stage("Compiling packages", total: missing.count)
    let stemcells = Set(missing.map(\.stemcell)).sorted()
    let site = resolved.compilation
    for stemcell in stemcells {
      let workers = min(site.workers, missing.count { $0.stemcell == stemcell })
      _ = try await inParallel(Array(0..<workers), atMost: workers) { number in
        try await work(number, stemcell, queue, stage)
      }
    }
  }

  /// One worker: takes packages that are ready until none is left, on a VM that is made for the first one. Its VM stays until
  /// all is compiled: were it deleted before, a restarted server would make it again.
  private func work(_ number: Int, _ stemcell: String, _ queue: CompilationQueue, _ stage: TaskStage) async throws {
    var vm: CompilationVMRecord?
    while let target = try await queue.next(stemcell: stemcell) {
      do {
        try context.cancellation.check()
        let made: CompilationVMRecord
        if let vm { made = vm } else { made = try await makeVM(number, stemcell, target) }
        vm = made
        let result = try await stage.step(target.label) { _ in try await compile(target, on: made) }
        try await records.compiledPackages.put(target.key, result)
        await queue.finish(target.key)
        if !resolved.compilation.reuseVMs {
          try await deleteVM(made)
          vm = nil
        }
      } catch {
        await queue.fail(error)
        throw error
      }
    }
  }

  /// The agent's id is derived from the task, so that a VM that was being made when the server was killed is found again
  /// and used.
  private func makeVM(_ number: Int, _ stemcell: String, _ target: CompilationTarget) async throws
    -> CompilationVMRecord
  {
    let agentID = RequestIdentity(task: context.id, agent: "compiler \(number)", step: "\(stemcell) \(attempt(target))")
      .uuid
    let site = resolved.compilation
    var record =
      try await records.compilationVMs.get(agentID)?.body
      ?? CompilationVMRecord(agentID: agentID, task: context.id, cid: nil, network: site.network.name, address: nil)
    try await records.compilationVMs.put(agentID, record)
    if record.address == nil {
      record.address = try await CompilationAddress(director: director, site: site).reserve(agentID)
    }
    try await records.compilationVMs.put(agentID, record)
    guard let base = resolved.stemcells.values.first(where: { $0.compilationTarget == stemcell }) else {
      throw DroverError(.notFound, "compiling for \(stemcell): no such stemcell")
    }
    let name = "compilation-\(agentID)"
    let order = VMOrder(
      agentID: agentID, stemcell: base.cid, cloudProperties: try await cloudProperties(),
      networks: try site.networks(address: record.address.map { try IPAddress($0) }), disks: [],
      env: resolved.compilationEnvironment(group: name),
      metadata: [
        "director": .string(resolved.directorName), "deployment": .string(resolved.name), "name": .string(name),
        "compiling": .string(target.package.name),
      ])
    let vms = VMs(director: director)
    let cid = try await vms.create(order, context)
    record.cid = cid
    try await records.compilationVMs.put(agentID, record)
    try await engines.cloud.setVMMetadata(cid, order.metadata)
    try await vms.waitForAgent(agentID, of: name, context)
    return record
  }

  private func attempt(_ target: CompilationTarget) -> String {
    resolved.compilation.reuseVMs ? "" : target.key
  }

  private func cloudProperties() async throws -> ValueObject {
    let site = resolved.compilation
    guard case .request(.resources(let cpu, let memory, let disk)) = site.vm else { return site.cloudProperties }
    return try await engines.cloud.calculateVMCloudProperties(
      VMSize(cpus: cpu, memory: memory, ephemeralDisk: disk)
    ).merging(site.cloudProperties)
  }

  private func deleteVM(_ vm: CompilationVMRecord) async throws {
    try await VMs(director: director).delete(agentID: vm.agentID, cid: vm.cid)
    let held = try await records.addresses.list(prefix: "\(vm.network)/").filter { $0.body.holder == vm.agentID }
    _ = try await engines.store.commit(
      [records.compilationVMs.deleting(vm.agentID)] + held.map { records.addresses.deleting($0.name) })
  }

  private func compile(_ target: CompilationTarget, on vm: CompilationVMRecord) async throws -> CompiledPackageRecord {
    let identity = RequestIdentity(task: context.id, agent: vm.agentID, step: "compile \(target.key)")
    var dependencies = try resolved.compilationDependencies(of: target, compiled: try await compiled())
    for index in dependencies.indices {
      dependencies[index].signedURL = try engines.blobAddresses.get(dependencies[index].blobstoreID)
    }
    let request = CompileRequest(
      name: target.package.name, version: "\(target.package.fingerprint).1", digest: target.package.digest,
      blobstoreID: target.package.blobID, sourceURL: try engines.blobAddresses.get(target.package.blobID),
      uploadURL: try engines.blobAddresses.put(identity.uuid), dependencies: dependencies)
    let value = try await director.client(vm.agentID, context.output).perform(
      .compilePackageWithSignedURL, [request.signedArgument], identity: identity, cancellation: context.cancellation)
    try context.cancellation.check()
    let result = try CompileResult(value)
    guard try await engines.blobs.exists(identity.uuid) else {
      throw DroverError(.notFound, "compiling \(target.label): the agent says it is done, but its result did not come")
    }
    return CompiledPackageRecord(
      name: target.package.name, fingerprint: target.package.fingerprint, stemcell: target.stemcell, key: target.key,
      blobID: identity.uuid, digest: result.sha1)
  }
}

/// Which packages are to be compiled next: several workers take from it.
actor CompilationQueue {
  private let graph: CompilationGraph
  private var compiled: Set<String>
  private var running: Set<String> = []
  private var failure: (any Error)?
  private var waiters: [CheckedContinuation<Void, Never>] = []

  init(_ graph: CompilationGraph, compiled: Set<String>) {
    self.graph = graph
    self.compiled = compiled
  }

  /// A package whose dependencies are there; waits for one while others are compiled. Nil when none is left.
  ///
  /// - Throws: what made another worker fail.
  func next(stemcell: String) async throws -> CompilationTarget? {
    while true {
      if let failure { throw failure }
      if let target = graph.ready(compiled, running: running).first(where: { $0.stemcell == stemcell }) {
        running.insert(target.key)
        return target
      }
      guard graph.missing(compiled).contains(where: { $0.stemcell == stemcell && !running.contains($0.key) }) else {
        return nil
      }
      await withCheckedContinuation { waiters.append($0) }
    }
  }

  func finish(_ key: String) {
    running.remove(key)
    compiled.insert(key)
    wake()
  }

  func fail(_ error: any Error) {
    if failure == nil { failure = error }
    wake()
  }

  private func wake() {
    for waiter in waiters { waiter.resume() }
    waiters = []
  }
}
