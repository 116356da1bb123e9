import Processes

/// What every script that the agent starts finds in its environment (reference/agent.md 12).
struct ScriptEnvironment: Sendable {
  /// The agent's own environment, without what is the agent's business alone.
  let base: [String: String]

  static let path = "/usr/sbin:/usr/bin:/sbin:/bin"

  /// What the shell that started the agent leaves behind: where it was, which says nothing to a script.
  private static let leftByShells: Set<String> = ["OLDPWD", "PWD", "SHLVL", "_"]

  init(agent: [String: String], layout: VMLayout) {
    var base = agent.filter {
      !$0.key.hasPrefix("LD_") && !$0.key.hasPrefix("SWIFT_") && !Self.leftByShells.contains($0.key)
    }
    base["PATH"] = Self.path
    base["HOME"] = "/root"
    base["TMPDIR"] = layout.temporary
    self.base = base
  }

  /// The environment with what an action adds.
  func with(_ extra: [String: String]) -> [String: String] { base.merging(extra) { _, new in new } }
}
