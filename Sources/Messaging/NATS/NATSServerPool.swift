/// The servers that a client knows, tried in order, round after round.
struct NATSServerPool: Sendable, Equatable {
  /// Those of the configuration first, then those that servers have told of.
  private(set) var servers: [NATSAddress]
  private let configured: Int
  private var next = 0

  /// - Parameter configured: at least one.
  init(_ configured: [NATSAddress]) {
    servers = configured
    self.configured = configured.count
  }

  var count: Int { servers.count }

  /// The server to try now.
  mutating func take() -> NATSAddress {
    let server = servers[next % servers.count]
    next = (next + 1) % servers.count
    return server
  }

  /// Replaces what servers have told of; addresses that are no addresses are left out.
  mutating func learn(_ urls: [String], from teller: NATSAddress) {
    servers.removeLast(servers.count - configured)
    for url in urls.prefix(1000) {
      guard var server = try? NATSAddress(url), !servers.contains(where: { $0.isSamePlace(server) }) else { continue }
      server.user = teller.user
      server.password = teller.password
      server.demandsTLS = teller.demandsTLS
      servers.append(server)
    }
    next %= servers.count
  }
}
