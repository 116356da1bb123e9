import Files
import Formats
import Glibc
import Processes

/// The program under the name `bosh-enable-monit-access`: a job's script calls it to be let through the firewall to monit's
/// interface (reference/agent.md 1).
public enum MonitAccess {
  public static func isMeant(by program: String) -> Bool {
    program.split(separator: "/").last == "bosh-enable-monit-access"
  }

  public static func main() -> Never { ProgramStart.run { await run() } }

  /// - Returns: the exit code: 0 also where there is no such firewall.
  static func run() async -> Int32 {
    do {
      let chain = try await Command("nft", "list", "chain", "inet", "bosh_agent", FirewallPlan.jobsChain).result()
      guard chain.succeeded else { return 0 }
      let user = try Accounts.user("vcap")
      if let group = group(Files.textIfPresent("/proc/self/cgroup") ?? ""),
        (try? await Firewall.load(FirewallPlan.jobAccess(group: group, user: user))) != nil
      {
        return 0
      }
      try await Firewall.load(FirewallPlan.jobAccess(group: nil, user: user))
      return 0
    } catch let error as DroverError where error.code == .notFound && !Self.hasTool {
      return 0
    } catch {
      let text = Array("bosh-enable-monit-access: \(error)\n".utf8)
      _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      return 1
    }
  }

  /// Without nft there is no firewall of ours.
  private static var hasTool: Bool { ["/usr/sbin/nft", "/sbin/nft"].contains(where: Files.isVisible) }

  /// The control group of this process in the second hierarchy, without a slash before it; nil for none of its own.
  ///
  /// - Parameter text: of /proc/self/cgroup.
  static func group(_ text: String) -> String? {
    let path = text.split(separator: "\n").first { $0.hasPrefix("0::/") }?.dropFirst("0::/".count)
    guard let path, !path.isEmpty else { return nil }
    return String(path)
  }
}
