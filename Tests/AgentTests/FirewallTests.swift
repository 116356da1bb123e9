import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Agent

private let canFilter: Bool = {
  let programs = ["/usr/sbin/nft", "/usr/bin/unshare", "/usr/bin/setpriv", "/usr/bin/timeout"]
  let can = geteuid() == 0 && programs.allSatisfy(Files.isVisible)
  if !can { print("FirewallTests: left out in part, since they need root, nft, unshare and setpriv") }
  return can
}()

@Suite struct FirewallTests {
  @Test("only root reaches monit's interface, and whom jobs let in")
  func monit() {
    let lines = FirewallPlan.monitAccess.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "add table inet bosh_agent", "add chain inet bosh_agent monit_access_jobs", "add table inet bosh_agent",
        "add chain inet bosh_agent monit_access { type filter hook output priority -1; policy accept; }",
        "flush chain inet bosh_agent monit_access", "add rule inet bosh_agent monit_access jump monit_access_jobs",
        "add rule inet bosh_agent monit_access ct state established,related accept",
        "add rule inet bosh_agent monit_access meta skuid 0 ip daddr 127.0.0.1 tcp dport 2822 accept",
        "add rule inet bosh_agent monit_access ip daddr 127.0.0.1 tcp dport 2822 drop",
      ])
  }

  @Test("each server of the bus is for root only; what is no address is no rule")
  func bus() throws {
    let rules = try #require(FirewallPlan.busAccess([("10.0.0.6", 4222), ("fd00::1", 4223), ("x; flush ruleset", 1)]))
    #expect(rules.contains("nats_access meta skuid 0 ip daddr 10.0.0.6 tcp dport 4222 accept\n"))
    #expect(rules.contains("nats_access ip daddr 10.0.0.6 tcp dport 4222 drop\n"))
    #expect(rules.contains("nats_access ip6 daddr fd00::1 tcp dport 4223 drop\n") && !rules.contains("flush ruleset"))
    #expect(FirewallPlan.busAccess([]) == nil)
  }

  @Test("a job is let in by its control group, or else by its user")
  func jobs() {
    #expect(
      FirewallPlan.jobAccess(group: "system.slice/bpm-x.scope", user: 1000)
        == "add rule inet bosh_agent monit_access_jobs socket cgroupv2 level 2 \"system.slice/bpm-x.scope\" "
        + "ip daddr 127.0.0.1 tcp dport 2822 accept\n")
    for group in [nil, "", "a\" accept; flush ruleset"] as [String?] {
      #expect(FirewallPlan.jobAccess(group: group, user: 1000).contains(" meta skuid 1000 ip daddr"))
    }
    #expect(MonitAccess.group("1:name=x:/a\n0::/system.slice/a\n") == "system.slice/a")
    #expect(MonitAccess.group("0::/\n") == nil && MonitAccess.group("1:cpu:/a\n") == nil)
    #expect(MonitAccess.isMeant(by: "/var/vcap/bosh/bin/bosh-enable-monit-access") && !MonitAccess.isMeant(by: "monit"))
  }

  @Test(
    "nft takes the rules, also again, keeps those of jobs, and others than root are not let through",
    .enabled(if: canFilter))
  func real() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/monit", FirewallPlan.monitAccess)
      try writeTestFile("\(folder)/bus", try #require(FirewallPlan.busAccess([("127.0.0.1", 4222), ("::1", 4222)])))
      try writeTestFile("\(folder)/job", FirewallPlan.jobAccess(group: nil, user: 65533))
      let script = """
        set -e
        ip link set lo up
        nft -f $1/monit; nft -f $1/bus; nft -f $1/job; nft -f $1/monit; nft -f $1/bus
        # Nobody listens: a connection that is let through is refused at once, another one gets no answer.
        try() { timeout 2 setpriv --reuid $1 --clear-groups bash -c "exec 3<>/dev/tcp/127.0.0.1/$2" 2>/dev/null; echo "$1 $2 $?"; }
        set +e
        try 0 2822; try 65533 2822; try 65534 2822; try 0 4222; try 65534 4222; try 65534 4223
        nft list chain inet bosh_agent monit_access_jobs | grep -c accept
        """
      let result = try await Command("unshare", "--net", "bash", "-c", script, "firewall", folder).run()
      #expect(
        result.text.split(separator: "\n") == [
          "0 2822 1", "65533 2822 1", "65534 2822 124", "0 4222 1", "65534 4222 124", "65534 4223 1", "1",
        ], "\(result.text) \(result.lastErrorLines())")
    }
  }
}
