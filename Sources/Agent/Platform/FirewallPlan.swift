/// Rules that let only root reach monit's interface and the bus (reference/agent.md 18), as nft reads them. A text is taken
/// as a whole or not at all.
enum FirewallPlan {
  static let table = "inet bosh_agent"
  /// Rules of jobs are in a chain of their own, which is never emptied.
  static let jobsChain = "monit_access_jobs"
  private static let monit = "ip daddr 127.0.0.1 tcp dport 2822"

  private static func chain(_ name: String) -> String {
    """
    add table \(table)
    add chain \(table) \(name) { type filter hook output priority -1; policy accept; }
    flush chain \(table) \(name)

    """
  }

  /// Only root, and whom jobs let in, reach monit's interface.
  static let monitAccess =
    "add table \(table)\nadd chain \(table) \(jobsChain)\n" + chain("monit_access")
    + rules(
      "monit_access",
      ["jump \(jobsChain)", "ct state established,related accept", "meta skuid 0 \(monit) accept", "\(monit) drop"])

  /// Only root reaches these servers of the bus; nil when there are none.
  ///
  /// - Parameter servers: addresses, no names, and ports.
  static func busAccess(_ servers: [(address: String, port: Int)]) -> String? {
    let servers = servers.filter { DeleteARPEntriesAction.isAddress($0.address) && (1...65535).contains($0.port) }
    guard !servers.isEmpty else { return nil }
    let each = servers.flatMap { server in
      let target = "\(server.address.contains(":") ? "ip6" : "ip") daddr \(server.address) tcp dport \(server.port)"
      return ["meta skuid 0 \(target) accept", "\(target) drop"]
    }
    return chain("nats_access") + rules("nats_access", ["ct state established,related accept"] + each)
  }

  /// One more rule for whoever asks for it by `bosh-enable-monit-access`: its control group, or else the user vcap.
  ///
  /// - Parameter group: the path below `/sys/fs/cgroup`, without a slash before it.
  static func jobAccess(group: String?, user: UInt32) -> String {
    var who = "meta skuid \(user)"
    if let group, !group.isEmpty,
      group.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
    {
      who = "socket cgroupv2 level \(group.split(separator: "/").count) \"\(group)\""
    }
    return rules(jobsChain, ["\(who) \(monit) accept"])
  }

  private static func rules(_ chain: String, _ rules: [String]) -> String {
    rules.map { "add rule \(table) \(chain) \($0)\n" }.joined()
  }
}
