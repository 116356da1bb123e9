import AgentProtocol

/// What the agent wants of a supervisor (reference/agent.md 14). The real one is `Supervision`'s.
protocol JobSupervisor: Sendable {
  /// Takes note of the control files there are now; services whose files are gone are not watched any more.
  func reload() async throws
  /// Starts and watches every service of group vcap.
  func start() async throws
  /// Stops them. Returns when they are gone, or with the text of agent.md 14 when that takes too long.
  func stop(waits: Bool) async throws
  /// Watches none of them any more, so that they may end.
  func unmonitor() async throws
  func jobState() async -> JobState
  func processes() async -> [ProcessState]
}

/// Supervises nothing (`-M dummy`).
struct DummySupervisor: JobSupervisor {
  func reload() async throws {}
  func start() async throws {}
  func stop(waits: Bool) async throws {}
  func unmonitor() async throws {}
  func jobState() async -> JobState { .running }
  func processes() async -> [ProcessState] { [] }
}
