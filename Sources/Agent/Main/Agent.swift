import AgentProtocol
import Formats
import HTTPService
public import Logging
public import Messaging
import Processes
import Supervision
public import Surroundings

/// The daemon on a VM: does what a director asks, keeps the jobs running, and tells how the machine is.
///
/// ```swift
/// let agent = try Agent(options, surroundings: .system, environment: …, runnerProgram: "/proc/self/exe",
///   logger: logger)
/// let code = try await agent.run(bus: bus, outputBus: outputBus)
/// ```
public struct Agent: Sendable {
  private let layout: VMLayout
  private let settings: SettingsStore
  private let ownership: Ownership
  private let platform: any Platform
  private let supervisor: Supervisor?
  private let surroundings: Surroundings
  private let environment: [String: String]
  private let runnerProgram: String
  private let systemRoot: String
  private let monitPort: Int?
  private let mailPort: Int?
  private let audit: AuditLog
  private let logger: Logger
  private let initial: EffectiveSettings
  private let configuration: AgentConfiguration
  public let termination: Termination
  private let stopHook = StopHook()

  public var agentID: String { initial.agentID }
  var effectiveSettings: EffectiveSettings { get async { await settings.current } }

  /// Loads the configuration and the settings.
  ///
  /// - Parameters:
  ///   - environment: the agent's own; scripts get it with PATH, HOME and TMPDIR replaced.
  ///   - runnerProgram: what is executed as the `Runner` of a script.
  ///   - systemRoot: where files outside the base directory (`/etc/…`) are put; empty for the machine's own root. With
  ///     another root no users or certificates of the machine are changed.
  ///   - monitPort: where monit's HTTP face is served; nil is its own on a VM, and nowhere else.
  ///   - mailPort: where mails of a real monit are taken; nil is its own on a VM, and nowhere else.
  /// - Throws: when the configuration or the command line cannot be used, or no source has settings.
  public init(
    _ options: AgentOptions, surroundings: Surroundings, environment: [String: String], runnerProgram: String,
    systemRoot: String = "", monitPort: Int? = nil, mailPort: Int? = nil, termination: Termination = Termination(),
    logger: Logger
  ) async throws {
    let layout = VMLayout(base: options.baseDirectory)
    self.layout = layout
    self.termination = termination
    ownership = try .ofThisMachine()
    let path = options.configurationPath.isEmpty ? layout.agentConfiguration : options.configurationPath
    configuration = try AgentConfiguration.load(path)
    let isReal = options.platform != "dummy" && systemRoot.isEmpty
    var defaultRoute: (@Sendable () -> DefaultRoute?)?
    if isReal { defaultRoute = { DefaultRoute.current() } }
    var reachNetwork: (@Sendable () async throws -> Void)?
    if isReal, options.platform == "ubuntu" {
      let network = FirstNetwork(layout: layout, ownership: ownership, logger: logger)
      reachNetwork = { try await network.configure() }
    }
    settings = try await SettingsStore(
      configuration, layout: layout, surroundings: surroundings,
      reachNetwork: reachNetwork, defaultRoute: defaultRoute,
      mountTmpfs: isReal ? Tmpfs.mounter : nil, logger: logger)
    initial = await settings.current
    if isReal { try BootOnce.check(initial, layout, mountTmpfs: Tmpfs.mounter) }
    let folders = FolderDisks(layout: layout, ownership: ownership, surroundings: surroundings)
    if options.platform == "ubuntu" {
      let linux = try LinuxOptions(configuration.linux)
      let blocks = BlockDisks(
        layout: layout, ownership: ownership, resolver: DeviceResolver(options: linux, surroundings: surroundings),
        fileSystem: initial.document.env.persistentDiskFileSystem,
        mountOptions: initial.document.env.persistentDiskMountOptions, surroundings: surroundings, logger: logger)
      platform = LinuxPlatform(
        layout: layout, ownership: ownership, options: linux, disks: linux.bindsPersistentDisks ? folders : blocks,
        surroundings: surroundings, logger: logger, root: systemRoot)
    } else {
      platform = ContainerPlatform(
        layout: layout, ownership: ownership, disks: folders, logger: logger, changesUsers: isReal)
    }
    supervisor =
      options.jobSupervisor == "dummy"
      ? nil : try Supervisor(paths: VMPaths(base: layout.base), surroundings: surroundings, logger: logger)
    self.surroundings = surroundings
    self.environment = environment
    self.runnerProgram = runnerProgram
    self.systemRoot = systemRoot
    self.monitPort = monitPort ?? (options.platform == "container" && systemRoot.isEmpty ? MonitProgram.port : nil)
    self.mailPort = mailPort ?? (isReal ? MailDoor.port : nil)
    // The dummy platform has nothing to do with the machine's log.
    audit = AuditLog(path: isReal || !systemRoot.isEmpty ? "\(systemRoot)/dev/log" : "", surroundings: surroundings)
    self.logger = logger
  }

  /// Makes the machine ready and answers requests until ``termination`` says otherwise.
  ///
  /// - Parameters:
  ///   - outputBus: a connection of its own for what scripts print (design D13).
  ///   - connected: returns when the bus is there, which the first heartbeat waits for.
  /// - Returns: the exit code.
  /// - Throws: what makes going on impossible; the agent is to be started again.
  public func run(
    bus: any MessageBus, outputBus: any MessageBus, connected: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> Int32 {
    try await run(bus: bus, outputBus: outputBus, connected: connected) { try await $0.run() }
  }

  /// The bus that the settings ask for.
  func busPlan() throws -> BusPlan { try BusPlan(initial, requiresTLS: configuration.requiresBusTLS) }

  /// The door of an agent that has no bus.
  func endpoint(_ url: EndpointURL, _ tls: HTTPService.TLS) -> HTTPSEndpoint {
    HTTPSEndpoint(
      url: url, tls: tls, layout: layout, ownership: ownership, surroundings: surroundings, audit: audit,
      logger: logger)
  }

  /// Where what comes over the bus is accounted for.
  private var trail: AuditTrail {
    let server = initial.busURLs.first.flatMap(BusConnections.server)
    return AuditTrail(log: audit, host: server?.host ?? "", port: server?.port ?? 0)
  }

  /// - Parameter serve: takes messages until it is cancelled.
  func run(
    bus: any MessageBus, outputBus: any MessageBus, connected: @escaping @Sendable () async throws -> Void = {},
    serve: @escaping @Sendable (MessageLoop) async throws -> Void
  ) async throws -> Int32 {
    try await platform.prepare(initial, cloudKey: await settings.publicKey())
    let parts = AgentParts(
      layout: layout, ownership: ownership, settings: settings, initial: initial, platform: platform,
      supervisor: supervisor, bus: bus, surroundings: surroundings, environment: environment,
      runnerProgram: runnerProgram, systemRoot: systemRoot, logger: logger, termination: termination)
    stopHook.set(parts.machineStop)
    try await begin(parts)
    return try await withThrowingTaskGroup(of: Int32?.self) { group in
      let loop = parts.messageLoop(outputBus: outputBus, audit: trail)
      group.addTask {
        try await serve(loop)
        throw DroverError(.unavailable, "the bus was closed")
      }
      group.addTask {
        try await connected()
        try await parts.heartbeats.run()
        return nil
      }
      group.addTask {
        try await audit.run()
        return nil
      }
      if let supervisor {
        let alerts = AlertLoop(agentID: agentID, settings: settings, publisher: parts.publisher)
        group.addTask {
          await alerts.run(supervisor.alerts)
          return nil
        }
        if let monitPort {
          group.addTask {
            await serveMonit(supervisor, monitPort)
            return nil
          }
        }
      }
      if let mailPort {
        let door = MailDoor(
          agentID: agentID, settings: settings, publisher: parts.publisher, port: mailPort, surroundings: surroundings,
          logger: logger)
        group.addTask {
          await door.run()
          return nil
        }
      }
      group.addTask { await termination.wait() }
      defer {
        group.cancelAll()
        // Nobody may be left waiting for the end.
        termination.end(1)
      }
      while let code = try await group.next() {
        if let code {
          await parts.tasks.letGo()
          await supervisor?.close()
          return code
        }
      }
      return 1
    }
  }

  /// Ends it, as a signal asks for. When the machine is about to stop, jobs are drained and stopped first.
  public func leave() async {
    guard let limit = MachineStop.limit() else { return termination.end(1) }
    await stopMachine(within: limit)
    termination.end(0)
  }

  func stopMachine(within limit: Duration) async { await stopHook.run(within: limit) }

  /// What was there before: disks, job folders, services, tasks. A mistake in a control file or on a disk must not keep
  /// the agent from answering.
  private func begin(_ parts: AgentParts) async throws {
    await attempt("mounting the persistent disk again") { try await parts.persistentDisks.restore() }
    await attempt("making the folders of jobs") {
      for job in try await parts.specs.current().job.templates { try JobFolders.make(job.name, layout, ownership) }
    }
    await attempt("reading the drain states of jobs") {
      await parts.drainBoard.know(try await parts.specs.current().job.lifecycleNames)
    }
    await attempt("looking for the blobstore's client") { try await parts.blobs.check() }
    await attempt("reading the control files of jobs") { try await parts.jobSupervisor.reload() }
    await attempt("removing what an installation left") { try await blocking { try parts.installer.sweep() } }
    let registry = parts.registry
    try await parts.tasks.resume { registry[$0] }
  }

  private func serveMonit(_ supervisor: Supervisor, _ port: Int) async {
    await attempt("making the user of monit") {
      try ownership.folderIfMissing(layout.monit, 0o750)
      let credentials = try MonitUser.credentials(
        VMPaths(base: layout.base).monitUser, surroundings: surroundings, ownership: ownership)
      let face = MonitFace(supervisor, credentials: credentials, surroundings: surroundings)
      await MonitServer(face: face, port: port, surroundings: surroundings, logger: logger).run()
    }
  }

  private func attempt(_ doing: String, _ body: () async throws -> Void) async {
    do {
      try await body()
    } catch {
      logger.error("\(doing) failed", metadata: ["error": "\(error)"])
    }
  }
}
