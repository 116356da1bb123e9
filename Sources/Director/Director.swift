public import Documents
import Formats
import Logging
import Surroundings

/// The director: what its API and its tasks are made of.
///
/// It holds no state of its own but the running tasks: everything is in the document store, and a director that is made
/// anew on the same store goes on where the last one was (design D7).
public struct Director: Sendable {
  /// Who it is.
  public struct Identity: Sendable {
    public var name: String
    public var id: String
    public var version: String

    public init(name: String, id: String, version: String) {
      self.name = name
      self.id = id
      self.version = version
    }
  }

  public let identity: Identity
  public let tasks: TaskBoard
  public let journals: any Journals
  let engines: DirectorEngines
  let records: Records
  let agents: AgentBus
  private let drains: DrainDesk
  private let schedules: Schedules
  let templates: JobTemplates
  let variables: Variables
  let logSweep = LogBundles.Sweep()
  let recentArchives = RecentArchives()
  let recentResolutions = RecentResolutions()

  public init(_ identity: Identity, _ engines: DirectorEngines) async throws {
    self.identity = identity
    self.engines = engines
    journals = engines.journals
    records = Records(engines.store)
    templates = JobTemplates(
      blobs: engines.blobs, workDirectory: engines.workDirectory, surroundings: engines.surroundings)
    agents = try await AgentBus(bus: engines.bus, directorID: identity.id, surroundings: engines.surroundings)
    drains = try await DrainDesk(
      bus: engines.bus, agents: agents, records: records, directorID: identity.id, surroundings: engines.surroundings)
    tasks = TaskBoard(
      store: engines.store, journals: engines.journals, surroundings: engines.surroundings, logger: engines.logger,
      kept: engines.keptTasks)
    variables = Variables(
      records: records, director: identity.name, secrets: engines.secrets, surroundings: engines.surroundings)
    schedules = Schedules(
      records: records, variables: variables, tasks: tasks, zones: engines.zones, surroundings: engines.surroundings,
      logger: engines.logger)
    await registerTasks()
  }

  /// Takes up what the last server left unfinished. Call it once, when everything the director stands on is running.
  public func start() async throws {
    let instances = try await records.instances.list().compactMap(\.body.vm?.agentID)
    let compilers = try await records.compilationVMs.list().map(\.body.agentID)
    try await engines.identities.restore(instances + compilers)
    try await tasks.resume()
    try await bringBack()
    await schedules.start()
  }

  /// Stops the work of all tasks; the next director takes them up again.
  public func stop() async {
    drains.close()
    await schedules.stop()
    await tasks.stop()
    agents.close()
  }

  func client(_ agentID: String, _ output: TaskOutput? = nil) -> AgentClient {
    AgentClient(agentID: agentID, bus: agents, surroundings: engines.surroundings) { await output?.debug($0) }
  }

  private func registerTasks() async {
    await tasks.register("update_release") { try await ReleaseUpload(self, $0).run() }
    await tasks.register("delete_release") { try await DeleteArtifact(self, $0).deleteRelease() }
    await tasks.register("update_stemcell") { try await StemcellUpload(self, $0).run() }
    await tasks.register("delete_stemcell") { try await DeleteArtifact(self, $0).deleteStemcell() }
    await tasks.register("update_deployment") { try await Deploy.run(self, $0) }
    await tasks.register("delete_deployment") { try await DeleteDeployment(self, $0).run() }
    await tasks.register("vms") { try await DescribeInstances(self, $0).run() }
    await tasks.register("ssh") { try await SSHAccessTask(self, $0).run() }
    await tasks.register("fetch_logs") { try await FetchLogs(self, $0).run() }
    await tasks.register("drain_server") { try await PowerWork(director: self, context: $0).drain() }
    await tasks.register("start_server") { try await PowerWork(director: self, context: $0).start() }
    await tasks.register("run_errand") { try await RunErrand(self, $0).run() }
  }
}
