public import Formats

/// What an agent is known by; it may use its own subjects only (`reference/director.md F.4`).
public struct AgentIdentity: Sendable, Hashable, Comparable {
  public let agentID: String
  /// A first-boot identity `CN=<agent_id>.bootstrap.agent.bosh-internal` with the same rights.
  public let bootstrap: Bool

  /// - Throws: `DroverError` (`invalid`) for an id that would mean something else inside a subject or a name.
  public init(agentID: String, bootstrap: Bool = false) throws(DroverError) {
    guard Self.isAllowed(agentID) else {
      throw DroverError(
        .invalid, "agent id \(agentID.prefix(200).debugDescription): must be 1 to 200 letters, digits, \"-\" or \"_\"")
    }
    self.agentID = agentID
    self.bootstrap = bootstrap
  }

  public static func < (left: AgentIdentity, right: AgentIdentity) -> Bool {
    (left.agentID, left.bootstrap ? 1 : 0) < (right.agentID, right.bootstrap ? 1 : 0)
  }

  private static func isAllowed(_ id: String) -> Bool {
    guard (1...200).contains(id.utf8.count) else { return false }
    return id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}
