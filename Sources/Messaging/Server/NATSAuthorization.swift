import Formats

/// Who may do what on the bus, as nats-server reads it (`reference/director.md F.4`).
///
/// The file is JSON, which is also a form of nats-server's own configuration, so it can be read back.
public enum NATSAuthorization {
  private static let prefix = "C=USA, O=Cloud Foundry, CN="
  private static let suffix = ".agent.bosh-internal"
  private static let bootstrap = ".bootstrap"

  /// The text for `authorization { include … }`: the director, the health monitor and these agents.
  public static func text(agents: some Collection<AgentIdentity>) -> String {
    let director = user(
      "default.director.bosh-internal", publish: ["allow": ["agent.*", "hm.director.alert"]],
      subscribe: ["director.>"])
    let monitor = user(
      "default.hm.bosh-internal", publish: ["deny": [">"]],
      subscribe: ["hm.agent.heartbeat.*", "hm.agent.alert.*", "hm.agent.shutdown.*", "hm.director.alert"])
    // One user a line: the file can be read and compared.
    let lines = ([director, monitor] + agents.sorted().map(user)).map { "    " + JSON.text($0) }
    return "{\n  \"users\": [\n" + lines.joined(separator: ",\n") + "\n  ]\n}\n"
  }

  /// The agents of a text that `text` made; whatever else it may hold is left out.
  static func agents(in text: String) throws -> Set<AgentIdentity> {
    let names = try JSON.parse(text)["users"]?.array?.compactMap { $0["user"]?.string } ?? []
    return Set(
      names.compactMap { name in
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        let id = String(name.dropFirst(prefix.count).dropLast(suffix.count))
        guard id.hasSuffix(bootstrap) else { return try? AgentIdentity(agentID: id) }
        return try? AgentIdentity(agentID: String(id.dropLast(bootstrap.count)), bootstrap: true)
      })
  }

  /// Whether a text lists users as `text` does, perhaps with other rights, and nothing of somebody else's.
  static func isOurs(_ text: String) -> Bool {
    guard let object = (try? JSON.parse(text))?.object, object.map(\.key) == ["users"] else { return false }
    return object["users"]?.array?.allSatisfy { user in
      guard let name = user["user"]?.string else { return false }
      return name.hasPrefix(prefix) && name.hasSuffix(".bosh-internal")
    } ?? false
  }

  private static func user(_ agent: AgentIdentity) -> Value {
    let id = agent.agentID
    return user(
      "\(id)\(agent.bootstrap ? bootstrap : "").agent.bosh-internal",
      publish: [
        "allow": Value(["heartbeat", "alert", "shutdown"].map { "hm.agent.\($0).\(id)" } + ["director.*.\(id).*"])
      ],
      subscribe: ["agent.\(id)"])
  }

  private static func user(_ commonName: String, publish: Value, subscribe: [String]) -> Value {
    [
      "user": .string(prefix + commonName),
      "permissions": ["publish": publish, "subscribe": ["allow": Value(subscribe)]],
    ]
  }
}
