import AgentProtocol
import Logging
import Processes
import Surroundings

/// Tells the health monitor how this machine is doing, at once and then every 30 seconds.
struct HeartbeatLoop: Sendable {
  let specs: SpecStore
  let supervisor: any JobSupervisor
  let vitals: VitalsReader
  let publisher: HealthPublisher
  let health: HealthFile
  let surroundings: Surroundings
  let logger: Logger
  var interval: Duration = .seconds(30)
  var samplingInterval: Duration = .seconds(10)

  /// Runs until it is cancelled.
  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          await vitals.sampleProcessors()
          // An idle agent keeps in memory what a heartbeat and a ping need, not what its start and its work needed.
          ProgramPages.release()
          try await surroundings.sleep(samplingInterval)
        }
      }
      group.addTask {
        while true {
          await beat()
          try await surroundings.sleep(interval)
        }
      }
      try await group.waitForAll()
    }
  }

  func beat() async {
    do {
      let spec = try await specs.current()
      let state = await supervisor.jobState()
      let heartbeat = Heartbeat(
        deployment: spec.deployment, job: spec.job.name, index: spec.index, jobState: state,
        vitals: try await vitals.read(), nodeID: spec.id,
        numberOfProcesses: state == .unknown ? nil : await supervisor.processes().count)
      await publisher.beat(heartbeat)
      try health.write(state)
    } catch {
      logger.error("cannot make a heartbeat", metadata: ["error": "\(error)"])
    }
  }
}
