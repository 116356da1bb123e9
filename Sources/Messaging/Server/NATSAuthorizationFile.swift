import Files
import Formats
import Glibc
public import Surroundings

/// Where those who may use the bus are listed: a nats-server of ours, or the file of a cluster that others run.
public protocol NATSAgents: Sendable {
  /// Replaces the list. Returns when the servers have been told.
  func setAgents(_ agents: some Sequence<AgentIdentity> & Sendable) async throws
  func addAgent(_ agent: AgentIdentity) async throws
  func removeAgent(_ agent: AgentIdentity) async throws
}

extension NATSServer: NATSAgents {}

/// The authorisation block of a cluster that others run, kept in a file that their configuration includes.
///
/// The whole file is ours. Changes are gathered for a moment, written at once (the file is there whole or not at all),
/// and followed by one run of what makes the servers read it again.
public actor NATSAuthorizationFile: NATSAgents {
  private let path: String
  private let debounce: Duration
  private let surroundings: Surroundings
  private let reload: @Sendable () async throws -> Void
  private var agents: Set<AgentIdentity> = []
  /// Counts the changes of `agents`, and says up to which of them the servers have been told.
  private var change = 0
  private var appliedChange = 0
  private var applying: Task<Void, any Error>?

  /// - Parameters:
  ///   - debounce: how long changes are gathered before they are written.
  ///   - reload: makes the servers read the file; what it throws is thrown to whoever asked for the change, and the
  ///     next change runs it again.
  public init(
    path: String, debounce: Duration = .milliseconds(20), surroundings: Surroundings = .system,
    reload: @escaping @Sendable () async throws -> Void
  ) {
    self.path = path
    self.debounce = debounce
    self.surroundings = surroundings
    self.reload = reload
  }

  /// Who is allowed, apart from the director and the health monitor.
  public var allowedAgents: [AgentIdentity] { agents.sorted() }

  /// Writes the file, with the agents that it lists already, and has the servers read it: an earlier process of ours may
  /// have died between the two.
  ///
  /// - Throws: `DroverError`: `conflict` if the file holds something that is not ours, `failed` if it can't be written,
  ///   and what `reload` throws.
  public func start() async throws {
    if let kept = try writing({ try Files.text(path) }), !kept.allSatisfy(\.isWhitespace) {
      guard NATSAuthorization.isOurs(kept), let known = try? NATSAuthorization.agents(in: kept) else {
        throw DroverError(
          .conflict,
          "the NATS authorization file \(path) holds something that was not written here, and all of it would be lost; "
            + "name a file that is for this alone, and include it in the servers' configuration")
      }
      agents = known
    }
    try await apply()
  }

  public func setAgents(_ agents: some Sequence<AgentIdentity> & Sendable) async throws {
    try await change { $0 = Set(agents) }
  }

  public func addAgent(_ agent: AgentIdentity) async throws {
    try await change { $0.insert(agent) }
  }

  public func removeAgent(_ agent: AgentIdentity) async throws {
    try await change { $0.remove(agent) }
  }

  /// Changes the list and waits until the servers have been told. Whoever comes meanwhile shares the next reload.
  private func change(_ body: (inout Set<AgentIdentity>) -> Void) async throws {
    let before = agents
    body(&agents)
    if agents != before { change += 1 }
    let wanted = change
    while appliedChange < wanted {
      let task = applying ?? Task { try await gather() }
      applying = task
      try await task.value
    }
  }

  private func gather() async throws {
    defer { applying = nil }
    try await surroundings.sleep(debounce)
    try await apply()
  }

  private func apply() async throws {
    let writing = change
    try self.writing { try Files.replace(path, with: NATSAuthorization.text(agents: agents), mode: 0o644) }
    try await reload()
    appliedChange = max(appliedChange, writing)
  }

  private func writing<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      throw DroverError(.failed, "keeping the NATS authorization file \(path)", cause: error)
    }
  }
}
