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
    let severity: Int
    switch event.event {
    case .doesNotExist, .executionFailed: severity = 1
    case .exists, .executionSucceeded, .actionDone: return nil
    }
    let place = addresses.isEmpty ? "" : " (\(addresses.sorted().joined(separator: ", ")))"
    return Alert(
      id: "\(event.date.seconds).\(number)@\(agentID)", severity: severity,
      title: "\(event.service)\(place) - \(event.event.rawValue) - \(event.action.rawValue)",
      summary: event.description, createdAt: event.date.seconds)
  }
}
