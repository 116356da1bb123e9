import Formats
import Logging
import Processes

/// Lets only root reach monit's interface and the bus. What nft refuses is said; the machine works without (reference/
/// agent.md 18).
struct Firewall: Sendable {
  let logger: Logger

  func guardMonit() async { await attempt("the firewall of monit", FirewallPlan.monitAccess) }

  /// Names of servers may mean other addresses than before: called before each connection.
  ///
  /// - Parameter urls: of the bus.
  func guardBus(_ urls: [String]) async {
    var servers: [(address: String, port: Int)] = []
    for case (let host, let port)? in urls.map(BusConnections.server) {
      servers += await Self.addresses(host).map { ($0, port) }
    }
    guard let rules = FirewallPlan.busAccess(servers) else {
      return logger.warning("the firewall of the bus is left as it is: no server has an address")
    }
    await attempt("the firewall of the bus", rules)
  }

  private func attempt(_ what: String, _ rules: String) async {
    do {
      try await Self.load(rules)
    } catch {
      logger.warning("a firewall rule cannot be made", metadata: ["rules": "\(what)", "error": "\(error)"])
    }
  }

  /// All of the rules or none.
  static func load(_ rules: String) async throws {
    var command = Command("nft", "-f", "-")
    command.input = Array(rules.utf8)
    command.timeout = .seconds(10)
    try await command.run()
  }

  private static func addresses(_ host: String) async -> [String] {
    if DeleteARPEntriesAction.isAddress(host) { return [host] }
    var command = Command("getent", "ahosts", host)
    command.timeout = .seconds(10)
    let text = (try? await command.result())?.text ?? ""
    return Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }).sorted()
  }
}
