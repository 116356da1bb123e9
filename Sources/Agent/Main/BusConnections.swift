import Formats
import Logging
import Messaging
import Processes
import Surroundings

/// The agent's two connections to NATS: one for requests and answers, one for what scripts print (design D13).
struct BusConnections: Sendable {
  let control: NATSConnection
  let output: NATSConnection
  private let neighbours: [String]
  private let urls: [String]
  /// Nil where the cloud guards the bus.
  private let firewall: Firewall?
  private let logger: Logger

  /// - Throws: when the URLs or certificates cannot be used.
  init(
    urls: [String], tls: NATSTLS?, agentID: String, firewall: Firewall? = nil, surroundings: Surroundings,
    logger: Logger
  ) throws {
    if tls == nil {
      logger.warning("the bus is used without TLS, as the settings have it: whoever listens can read along")
    }
    func connection(_ purpose: String) throws -> NATSConnection {
      try NATSConnection(
        NATSConfiguration(urls: urls, tls: tls, name: "agent \(agentID) \(purpose)"), surroundings: surroundings,
        logger: logger)
    }
    control = try connection("control")
    output = try connection("output")
    neighbours = urls.compactMap(Self.address)
    self.urls = urls
    self.firewall = firewall
    self.logger = logger
  }

  func start() async {
    await firewall?.guardBus(urls)
    await control.start()
    await output.start()
  }

  /// While there is no connection, forgets where on the network the servers were: a server that moved to another machine
  /// with the same address is found at once (reference/agent.md 6). Returns when the connection is closed.
  func forgetNeighboursWhenLost() async {
    for await event in control.events() {
      guard case .reconnecting = event else { continue }
      await firewall?.guardBus(urls)
      for address in neighbours { _ = try? await Command("ip", "neigh", "flush", "to", address).result() }
    }
  }

  /// Sends what is still to be sent, then closes.
  func close() async {
    await control.drain()
    await output.drain()
  }

  /// The address of a URL that has one rather than a name.
  static func address(_ url: String) -> String? {
    guard let host = server(url)?.host else { return nil }
    return DeleteARPEntriesAction.isAddress(host) ? host : nil
  }

  /// Host and port of a URL; the port of NATS if it names none.
  static func server(_ url: String) -> (host: String, port: Int)? {
    guard let end = url.firstRange(of: "://") else { return nil }
    var rest = url[end.upperBound...].prefix { $0 != "/" }
    if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
    let host: Substring
    if rest.first == "[" {
      host = rest.dropFirst().prefix { $0 != "]" }
      rest = rest.drop { $0 != "]" }.dropFirst()
    } else {
      host = rest.prefix { $0 != ":" }
      rest = rest[host.endIndex...]
    }
    return (String(host), Int(rest.dropFirst()) ?? 4222)
  }
}
