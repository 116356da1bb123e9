public import Logging
public import Surroundings

/// Debian's nats-server as a process of ours that outlives us: started detached, found again, restarted when it dies.
public actor NATSServer {
  /// Where and how the server runs.
  public struct Configuration: Sendable {
    /// Where its files live: configuration, certificates, log, pidfile (`<state>/nats`).
    public var directory: String
    /// The address that agents reach, for instance 10.254.0.1.
    public var address: String
    public var port: Int
    /// The server's own certificate (CN `default.nats.bosh-internal`), its key, and the authority of all clients.
    public var certificatePEM: String
    public var keyPEM: String
    public var caPEM: String
    /// The program; found in `PATH` if it has no slash.
    public var executable = "nats-server"
    /// Largest message, in bytes; agents of BOSH count on 1 MiB.
    public var maximumPayload = 1_048_576
    /// How long changes of identities are gathered before the server reloads.
    public var debounce: Duration = .milliseconds(50)

    public init(
      directory: String, address: String, port: Int = 4222, certificatePEM: String, keyPEM: String, caPEM: String
    ) {
      self.directory = directory
      self.address = address
      self.port = port
      self.certificatePEM = certificatePEM
      self.keyPEM = keyPEM
      self.caPEM = caPEM
    }
  }

  /// What an agent is known by; it may use its own subjects only (`reference/director.md F.4`).
  public struct AgentIdentity: Sendable, Hashable, Comparable {
    public let agentID: String
    /// A first-boot identity `CN=<agent_id>.bootstrap.agent.bosh-internal` with the same rights.
    public let bootstrap: Bool

    public init(agentID: String, bootstrap: Bool = false) {
      self.agentID = agentID
      self.bootstrap = bootstrap
    }

    public static func < (left: AgentIdentity, right: AgentIdentity) -> Bool {
      (left.agentID, left.bootstrap ? 1 : 0) < (right.agentID, right.bootstrap ? 1 : 0)
    }
  }

  public init(configuration: Configuration, surroundings: Surroundings = .system, logger: Logger) {
    self.configuration = configuration
  }

  public let configuration: Configuration

  /// `nats://address:port`
  public nonisolated var url: String { "nats://\(configuration.address):\(configuration.port)" }

  /// Starts the server, or takes over the one that an earlier process of ours has left running. Returns when it
  /// answers. The agents allowed at first are those last given to a server in this directory.
  public func start() async throws {}

  /// Replaces the list of agents. Returns when the server has taken it over.
  public func setAgents(_ agents: [AgentIdentity]) async throws {}

  /// Allows one more agent. Returns when the server has taken it over; calls at the same time share a reload.
  public func addAgent(_ agent: AgentIdentity) async throws {}

  /// Forgets an agent and drops its connections. Returns when the server has done so.
  public func removeAgent(_ agent: AgentIdentity) async throws {}

  /// Watches the server and starts it again when it dies, until cancelled. The server stays when this returns.
  public func run() async throws {}

  /// Ends the server's process.
  public func stop() async throws {}
}
