import Files
public import Formats
import Glibc
public import Logging
public import Surroundings

/// Debian's nats-server as a process of ours that outlives us: started detached, found again, restarted when it dies.
///
/// Its configuration, certificates, log and process id live in one directory. Changes of who may use it are gathered
/// for a moment and taken over by one reload, which is confirmed by what the server logs. A reload leaves every
/// connection alone but those of agents that are no longer allowed.
public actor NATSServer {
  /// Where and how the server runs.
  public struct Configuration: Sendable {
    /// Where its files live: configuration, certificates, log, process id (`<state>/nats`).
    public var directory: String
    /// The address that agents reach, for instance 10.254.0.1.
    public var address: String
    public var port: Int
    /// The server's own certificate (CN `default.nats.bosh-internal`), its key, and the authority of all clients.
    public var certificatePEM: String
    public var key: Secret
    public var caPEM: String
    /// The program; found in `PATH` if it has no slash.
    public var executable = "nats-server"
    /// Largest message, in bytes; agents of BOSH count on 1 MiB.
    public var maximumPayload = 1_048_576
    /// How long changes of identities are gathered before the server reloads.
    public var debounce: Duration = .milliseconds(20)
    /// At how many bytes its log is renamed, and how many renamed ones are kept.
    public var logSize = LogRotation.usualSize
    public var logKeep = LogRotation.usualKeep
    /// How long the server may take to answer after its start, to confirm a reload, and to end.
    public var patience: Duration = .seconds(10)

    public init(
      directory: String, address: String, port: Int = 4222, certificatePEM: String, key: Secret, caPEM: String
    ) {
      self.directory = directory
      self.address = address
      self.port = port
      self.certificatePEM = certificatePEM
      self.key = key
      self.caPEM = caPEM
    }
  }

  public nonisolated let configuration: Configuration
  let surroundings: Surroundings
  let logger: Logger
  let files: NATSServerFiles

  /// The server's process; nil before the start, after the stop, and between its death and its next start.
  var process: NATSProcess?
  var agents: Set<AgentIdentity> = []
  /// Counts the changes of `agents`, and says up to which of them the server has been told.
  var change = 0
  var appliedChange = 0
  var applying: Task<Void, any Error>?
  /// A process has been started and doesn't answer yet; it must not be sent a signal.
  var isLaunching = false
  /// What it logs is being read, or its log is being renamed: only one of both at a time.
  var isLogInUse = false
  /// The log that it writes to; nil when nobody knows.
  var openLog: FileIdentity?
  private var isWanted = false

  public init(configuration: Configuration, surroundings: Surroundings = .system, logger: Logger) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
    files = NATSServerFiles(directory: configuration.directory)
  }

  /// `nats://address:port`
  public nonisolated var url: String {
    let address = configuration.address
    return "nats://\(address.contains(":") ? "[\(address)]" : address):\(configuration.port)"
  }

  /// The process id, while the server runs.
  public var processID: Int? { process?.pid }

  /// Who is allowed, apart from the director and the health monitor.
  public var allowedAgents: [AgentIdentity] { agents.sorted() }

  /// Starts the server, or takes over the one that an earlier process of ours has left running in this directory.
  /// Returns when it answers. The agents allowed at first are those last given to a server in this directory.
  /// - Throws: `DroverError`: `failed` with the end of the server's log if it does not start, `timeout`.
  public func start() async throws {
    isWanted = true
    guard process == nil else { return }
    let isSame = try writeFiles()
    if let found = findProcess() {
      if isSame {
        logger.info("took the running NATS server over", metadata: ["pid": "\(found.pid)"])
        process = found
        try Files.replace(files.process, with: NATSProcessRecord.text(found))
        // It may have lost its log while nobody looked.
        try await whileLogIsStill { try await openLogAnew(of: found) }
        // The files may have been written just before an earlier process of ours died.
        return try await reload()
      }
      logger.info("restarting the NATS server for a new configuration", metadata: ["pid": "\(found.pid)"])
      await end(found)
    }
    try await launch()
  }

  /// Replaces the list of agents. Returns when the server has taken it over.
  public func setAgents(_ agents: some Sequence<AgentIdentity> & Sendable) async throws {
    try await change { $0 = Set(agents) }
  }

  /// Allows one more agent. Returns when the server has taken it over; calls at the same time share a reload.
  public func addAgent(_ agent: AgentIdentity) async throws {
    try await change { $0.insert(agent) }
  }

  /// Forgets an agent and drops its connections. Returns when the server has done so.
  public func removeAgent(_ agent: AgentIdentity) async throws {
    try await change { $0.remove(agent) }
  }

  /// Watches the server and starts it again when it dies, at once the first time, then with growing pauses up to 5 s.
  /// Returns when the task is cancelled or the server is stopped; cancelling leaves the server running.
  public func run() async throws {
    var failures = 0
    while !Task.isCancelled, isWanted {
      if let process {
        let began = surroundings.elapsed()
        let log = Task { await keepLog() }
        await process.waitForExit()
        log.cancel()
        if Task.isCancelled || !isWanted { return }
        guard process == self.process else { continue }
        self.process = nil
        failures = surroundings.elapsed() - began > .seconds(30) ? 0 : failures
        logger.error("the NATS server died", metadata: ["pid": "\(process.pid)"])
      }
      if failures > 0 { try? await surroundings.sleep(min(.milliseconds(200) * failures, .seconds(5))) }
      if Task.isCancelled || !isWanted { return }
      failures += 1
      do { try await launch() } catch {
        logger.error("the NATS server could not be started again", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Ends the server's process.
  public func stop() async throws {
    isWanted = false
    // Another one of us may have started it anew.
    let known = process.flatMap { $0.isRunning ? $0 : nil }
    process = nil
    guard let running = known ?? findProcess() else { return }
    await end(running)
  }
}
