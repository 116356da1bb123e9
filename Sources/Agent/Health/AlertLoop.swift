import AgentProtocol
import Supervision
import Surroundings

/// Passes on what happens to services to the health monitor (reference/agent.md 15).
struct AlertLoop: Sendable {
  let agentID: String
  let settings: SettingsStore
  let publisher: HealthPublisher

  func run(_ alerts: AsyncStream<ServiceAlert>) async {
    var number = 0
    for await event in alerts {
      number += 1
      let addresses = await settings.current.document.networks.map(\.ip).filter { !$0.isEmpty }
      guard let alert = Self.alert(event, agentID: agentID, number: number, addresses: addresses) else { continue }
      await publisher.raise(alert)
    }
  }

  /// Nil for what nobody needs to know: recoveries and actions that are done.
  static func alert(_ event: ServiceAlert, agentID: String, number: Int, addresses: [String]) -> Alert? {
    guard let severity = severity(event.event.name) else { return nil }
    return Alert(
      id: "\(event.date.seconds).\(number)@\(agentID)", severity: severity,
      title: title(
        service: event.service, addresses: addresses, event: event.event.name, action: event.action.rawValue),
      summary: event.description, createdAt: event.date.seconds)
  }

  static func title(service: String, addresses: [String], event: String, action: String) -> String {
    let place = addresses.isEmpty ? "" : " (\(addresses.sorted().joined(separator: ", ")))"
    return "\(service)\(place) - \(event) - \(action)"
  }

  /// How bad an event is, by the name that monit gives it: from 1 (alert) to 4 (warning); nil is not to be told.
  static func severity(_ event: String) -> Int? {
    switch event.lowercased() {
    case "connection failed", "execution failed", "does not exist", "monit instance failed": return 1
    case "connection changed", "content failed", "content doesn't match", "data access error",
      "filesystem flags failed", "gid failed", "heartbeat failed", "permission failed", "size failed",
      "timestamp failed", "invalid type", "resource limit matched", "size changed":
      return 3
    case "exists", "action done", "content match", "monit instance changed": return nil
    case let name where name.hasSuffix(" not changed") || name.hasSuffix("succeeded") || name.hasSuffix("recovery"):
      return nil
    case let name where name.hasSuffix(" changed"): return 4
    // Checksum, ICMP, PID, UID, timeout, and whatever may come.
    default: return 2
    }
  }
}
