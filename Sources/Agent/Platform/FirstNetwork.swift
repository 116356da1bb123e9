import Files
import Logging

/// Gives a machine that has no network yet one by DHCP, so that a metadata service can be asked (reference/agent.md 2).
struct FirstNetwork: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let logger: Logger
  /// Empty on a real machine.
  var root = ""
  var interfaces: @Sendable () -> [NetworkPlan.Interface] = { LinuxPlatform.interfaces() }

  func configure() async throws {
    let present = try Files.names(in: root + NetworkPlan.folder)
    guard let plan = try NetworkPlan.first(interfaces(), present: present) else { return }
    logger.info("no network is configured; trying DHCP", metadata: ["files": "\(plan.files.keys.sorted())"])
    try await MachineSteps(layout: layout, ownership: ownership, root: root, logger: logger).perform(
      plan.steps(current: [:], resolver: .plain, restart: "\(layout.bosh)/bin/restart_networking"))
  }
}
