import AgentProtocol
import Formats
import Logging
import Messaging
import Processes
import Supervision
import Surroundings
import Templates

/// The agent's parts, put together. Nothing is decided here.
struct AgentParts: Sendable {
  let specs: SpecStore
  let tasks: AgentTasks
  let persistentDisks: PersistentDisks
  let jobSupervisor: any JobSupervisor
  let publisher: HealthPublisher
  let heartbeats: HeartbeatLoop
  let registry: ActionRegistry
  private let readOutput: ReadOutputAction
  let drainBoard: DrainBoard
  let blobs: AgentBlobs
  let installer: BundleInstaller
  let machineStop: MachineStop
  private let agentID: String
  private let bus: any MessageBus
  private let logger: Logger

  init(
    layout: VMLayout, ownership: Ownership, settings: SettingsStore, initial: EffectiveSettings,
    platform: any Platform, supervisor: Supervisor?, bus: any MessageBus, surroundings: Surroundings,
    environment: [String: String], runnerProgram: String, systemRoot: String, logger: Logger,
    termination: Termination
  ) {
    agentID = initial.agentID
    self.bus = bus
    self.logger = logger
    let scriptEnvironment = ScriptEnvironment(agent: environment, layout: layout)
    let runner = ScriptRunner(directory: layout.runs, runnerProgram: runnerProgram)
    let scripts = LifecycleScripts(
      paths: VMPaths(base: layout.base), runner: runner, environment: scriptEnvironment.base,
      surroundings: surroundings, logger: logger)
    let jobSupervisor: any JobSupervisor = supervisor.map(DroverSupervisor.init) ?? DummySupervisor()
    let specs = SpecStore(path: layout.spec)
    let blobs = AgentBlobs(layout: layout, ownership: ownership, settings: settings, surroundings: surroundings)
    let system = SystemFiles(root: systemRoot, ownership: ownership)
    let installer = BundleInstaller(layout: layout, ownership: ownership, blobs: blobs)
    let unrendered = UnrenderedJobs(
      layout: layout, ownership: ownership, installer: installer, blobs: blobs, renderer: RendererConfiguration(),
      surroundings: surroundings, logger: logger)
    let applier = Applier(
      layout: layout, ownership: ownership, installer: installer, unrendered: unrendered, blobs: blobs,
      supervisor: jobSupervisor, system: system, parallel: initial.document.env.parallel)
    let health = HealthFile(layout: layout, ownership: ownership)
    let board = DrainBoard(layout: layout, ownership: ownership, surroundings: surroundings, logger: logger)
    let vitals = VitalsReader(layout: layout)
    let publisher = HealthPublisher(agentID: initial.agentID, bus: bus, logger: logger)
    let tasks = AgentTasks(
      files: TaskFiles(folder: layout.tasks, logger: logger), runner: runner, surroundings: surroundings,
      logger: logger)
    let disks = PersistentDisks(settings: settings, attachment: platform.disks, layout: layout)
    let compiler = PackageCompiler(
      layout: layout, ownership: ownership, installer: installer, blobs: blobs, runner: runner,
      environment: scriptEnvironment, surroundings: surroundings)
    let collector = LogCollector(layout: layout, root: systemRoot, blobs: blobs)
    let machineStop = MachineStop(
      paths: VMPaths(base: layout.base), specs: specs, supervisor: jobSupervisor, scripts: scripts, health: health,
      publisher: publisher,
      surroundings: surroundings, logger: logger)
    let dns = DNSRecords(layout: layout, ownership: ownership, blobs: blobs, system: system, settings: settings)

    readOutput = ReadOutputAction(tasks: tasks, runner: runner, collector: collector, surroundings: surroundings)
    registry = ActionRegistry([
      PingAction(),
      InfoAction(),
      GetTaskAction(tasks: tasks, surroundings: surroundings),
      CancelTaskAction(tasks: tasks),
      GetStateAction(specs: specs, settings: settings, supervisor: jobSupervisor, vitals: vitals),
      GetStateAction(
        specs: specs, settings: settings, supervisor: jobSupervisor, vitals: vitals, method: .state),
      PrepareAction(applier: applier),
      ApplyAction(applier: applier, specs: specs, settings: settings, layout: layout, ownership: ownership),
      StartAction(
        specs: specs, supervisor: jobSupervisor, controlFiles: ControlFiles(layout: layout, ownership: ownership),
        health: health, board: board),
      StopAction(specs: specs, supervisor: jobSupervisor, health: health, board: board),
      DrainAction(
        specs: specs, supervisor: jobSupervisor, scripts: scripts, health: health, publisher: publisher,
        board: board, settings: settings, surroundings: surroundings),
      DrainStateAction(board: board),
      DrainedAction(),
      RunScriptAction(specs: specs, scripts: scripts),
      RunErrandAction(
        specs: specs, runner: runner, environment: scriptEnvironment, layout: layout, surroundings: surroundings),
      readOutput,
      CompilePackageAction(compiler: compiler),
      CompilePackageWithSignedURLAction(compiler: compiler),
      FetchLogsAction(collector: collector, blobs: blobs),
      FetchLogsWithSignedURLAction(collector: collector, blobs: blobs),
      BundleLogsAction(collector: collector),
      RemoveFileAction(layout: layout),
      UploadBlobAction(blobs: blobs),
      SSHAction(access: SSHAccess(layout: layout, surroundings: surroundings), settings: settings),
      ListDiskAction(disks: disks),
      MountDiskAction(disks: disks),
      UnmountDiskAction(disks: disks),
      MigrateDiskAction(disks: disks),
      AddPersistentDiskAction(disks: disks),
      RemovePersistentDiskAction(disks: disks),
      AddDynamicDiskAction(disks: platform.disks, layout: layout, ownership: ownership),
      RemoveDynamicDiskAction(layout: layout),
      UpdateSettingsAction(
        settings: settings, certificates: TrustedCertificates(root: systemRoot), disks: platform.disks,
        layout: layout, surroundings: surroundings, restart: { termination.end(0) }),
      SyncDNSAction(dns: dns),
      SyncDNSWithSignedURLAction(dns: dns),
      DeleteARPEntriesAction(),
      ShutdownAction(
        stop: machineStop, turnOff: systemRoot.isEmpty ? ShutdownAction.machine : ShutdownAction.nothing,
        logger: logger),
      NetworkChangeAction(method: .prepareNetworkChange, logger: logger),
      NetworkChangeAction(method: .prepareConfigureNetworks, logger: logger),
      NetworkChangeAction(method: .configureNetworks, logger: logger),
    ])
    heartbeats = HeartbeatLoop(
      specs: specs, supervisor: jobSupervisor, vitals: vitals, publisher: publisher, health: health,
      surroundings: surroundings, logger: logger)
    self.specs = specs
    self.tasks = tasks
    persistentDisks = disks
    self.jobSupervisor = jobSupervisor
    self.machineStop = machineStop
    self.publisher = publisher
    drainBoard = board
    self.blobs = blobs
    self.installer = installer
  }

  func messageLoop(outputBus: any MessageBus, audit: AuditTrail?) -> MessageLoop {
    MessageLoop(
      agentID: agentID, bus: bus, outputBus: outputBus, registry: registry, readOutput: readOutput,
      tasks: tasks, log: MessageLog(logger: logger), audit: audit)
  }
}
