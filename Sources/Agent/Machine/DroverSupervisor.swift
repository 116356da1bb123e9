import AgentProtocol
import Formats
import Supervision

/// The supervisor of this agent, in the terms of the agent's protocol.
struct DroverSupervisor: JobSupervisor {
  let supervisor: Supervisor

  func reload() async throws { try await supervisor.loadControlFiles() }
  func start() async throws { try await supervisor.startAll() }
  func unmonitor() async throws { try await supervisor.unmonitorAll() }

  /// Old directors do not want to wait, and ask for the state instead.
  func stop(waits: Bool) async throws {
    if waits { return try await supervisor.stopAndWait() }
    Task { try? await supervisor.stopAndWait() }
  }

  func jobState() async -> AgentProtocol.JobState {
    AgentProtocol.JobState(rawValue: await supervisor.jobState().rawValue)
  }

  func processes() async -> [ProcessState] {
    let managed = Set(await supervisor.managedServices)
    return await supervisor.status().filter { managed.contains($0.name) }.map(ProcessState.init)
  }
}

extension ProcessState {
  fileprivate init(_ status: ServiceStatus) {
    self.init(
      name: status.name, state: AgentProtocol.JobState(rawValue: status.state.rawValue),
      uptimeSeconds: status.usage.map { Int($0.uptime.components.seconds) },
      memoryKilobytes: status.usage?.memoryKilobytes, memoryPercent: status.usage?.memoryPercent ?? 0,
      cpuPercent: status.usage?.cpuPercent ?? 0)
  }
}
