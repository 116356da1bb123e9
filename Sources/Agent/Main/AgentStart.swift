import Formats
import Logging
import Processes
import Surroundings

/// From the command line to an agent whose settings can be used. Settings that are absent, cut off or wrong are not the
/// end: clouds write them late, and people correct them. The agent says what is wrong, waits, and looks again.
struct AgentStart: Sendable {
  let options: AgentOptions
  let termination: Termination
  let surroundings: Surroundings
  let logger: Logger

  /// Between two looks at the settings: 2 s × attempt, at most 10 s, so that a metadata service isn't pestered.
  static func pause(_ attempt: Int) -> Duration { min(.seconds(2) * attempt, .seconds(10)) }

  /// - Returns: nil when the agent is to end meanwhile.
  /// - Throws: what waiting cannot mend: agent.json, and a machine that may not run any more.
  func agent() async throws -> (Agent, BusPlan)? {
    let path = options.configurationPath
    _ = try AgentConfiguration.load(path.isEmpty ? VMLayout(base: options.baseDirectory).agentConfiguration : path)
    return try await termination.unlessEnded {
      var attempt = 1
      while true {
        do {
          return try await once()
        } catch let error as DroverError where error.code == .conflict {
          throw error
        } catch {
          try Task.checkCancellation()
          let pause = Self.pause(attempt)
          logger.error(
            "cannot start with these settings; looking again later",
            metadata: ["attempt": "\(attempt)", "pause": "\(pause)", "error": "\(error)"])
          try await surroundings.sleep(pause)
          attempt += 1
        }
      }
    }
  }

  private func once() async throws -> (Agent, BusPlan) {
    let agent = try await Agent(
      options, surroundings: surroundings, environment: Environment.current(),
      runnerProgram: "/proc/self/exe",
      systemRoot: options.platform == "dummy" ? "\(options.baseDirectory)/root" : "", termination: termination,
      logger: logger)
    let plan = try agent.busPlan()
    // URLs and certificates are looked at now, while there is still something to wait for.
    try plan.check(surroundings: surroundings, logger: logger)
    return (agent, plan)
  }
}
