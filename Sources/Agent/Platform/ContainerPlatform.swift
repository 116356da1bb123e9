import AgentProtocol
import Glibc
import Logging

/// A VM of the runc cloud. Host name, network, clock, file systems and boot loader are the cloud's business there; the
/// agent makes folders and users, and says what it leaves alone.
struct ContainerPlatform: Platform {
  let name = "container"
  let layout: VMLayout
  let ownership: Ownership
  let disks: any DiskAttachment
  let logger: Logger
  /// Whether users of the machine may be changed: not in tests, nor on the `dummy` platform.
  let changesUsers: Bool

  func prepare(_ settings: EffectiveSettings, cloudKey: String?) async throws {
    logger.info(
      "container platform: left to the cloud",
      metadata: [
        "parts":
          "partitions, swap, file systems, host name, network, NTP, IPv6, firewall, boot loader, root file system"
      ])
    umask(0o022)
    if changesUsers {
      let steps = MachineSteps(layout: layout, ownership: ownership, root: "", logger: logger)
      try await steps.perform(LinuxPlan.jobMemory(settings.document.env, layout))
    }
    try Directories.make(layout, ownership)
    try Directories.removeLeftovers(layout)
    if changesUsers { try await VMUsers.apply(settings.document.env, cloudKey: cloudKey) }
  }
}
