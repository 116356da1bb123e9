/// The subjects of the bus (reference/agent.md 6, reference/director.md F.4).
public enum AgentSubjects {
  public static func requests(agentID: String) -> String { "agent.\(agentID)" }
  public static func heartbeat(agentID: String) -> String { "hm.agent.heartbeat.\(agentID)" }
  public static func alert(agentID: String) -> String { "hm.agent.alert.\(agentID)" }
  public static func shutdown(agentID: String) -> String { "hm.agent.shutdown.\(agentID)" }
  public static func reply(directorID: String, agentID: String, requestID: String) -> String {
    "director.\(directorID).\(agentID).\(requestID)"
  }

  /// Where an agent asks about the drain of another instance; its permissions let it ask in its own name only.
  public static func drainQuestion(agentID: String, requestID: String) -> String {
    reply(directorID: "drained", agentID: agentID, requestID: requestID)
  }

  public static let allDrainQuestions = "director.drained.*.*"
  public static let allHeartbeats = "hm.agent.heartbeat.*"
  public static let allAlerts = "hm.agent.alert.*"
  public static let allShutdowns = "hm.agent.shutdown.*"

  /// What an agent may publish to and subscribe to.
  public static func publishable(agentID: String) -> [String] {
    [heartbeat(agentID: agentID), alert(agentID: agentID), shutdown(agentID: agentID), "director.*.\(agentID).*"]
  }
  public static func subscribable(agentID: String) -> [String] { [requests(agentID: agentID)] }
}
