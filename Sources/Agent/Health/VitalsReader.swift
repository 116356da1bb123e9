import AgentProtocol
import Files
import Glibc
import Processes

/// How this machine is doing, from /proc and the file systems (reference/agent.md 15).
actor VitalsReader {
  private let layout: VMLayout
  private var earlier = ProcessorTimes()
  private var sample: Vitals.CPU

  init(layout: VMLayout) {
    self.layout = layout
    sample = Vitals.CPU(system: "0.0", user: "0.0", wait: "0.0")
  }

  /// Takes a sample of the processors: their shares are those between two samples.
  func sampleProcessors() {
    guard let text = Files.textIfPresent("/proc/stat"), let times = ProcessorTimes(text) else { return }
    sample = Vitals.CPU(
      system: times.share(\.system, since: earlier), user: times.share(\.user, since: earlier),
      wait: times.share(\.wait, since: earlier))
    earlier = times
  }

  func read() throws -> Vitals {
    if earlier.total == 0 { sampleProcessors() }
    let memory = MemoryUse.parse(Files.textIfPresent("/proc/meminfo") ?? "")
    let load = (Files.textIfPresent("/proc/loadavg") ?? "").split(separator: " ").prefix(3).map(String.init)
    let uptime = (Files.textIfPresent("/proc/uptime") ?? "").split(separator: " ").first.flatMap { Double($0) }
    return Vitals(
      cpu: sample, disks: disks(), load: load.count == 3 ? load : ["0.00", "0.00", "0.00"],
      memory: MemoryUse.memory(memory), swap: MemoryUse.swap(memory), uptimeSeconds: Int(uptime ?? 0))
  }

  private func disks() -> [(name: String, disk: Vitals.Disk)] {
    var disks: [(name: String, disk: Vitals.Disk)] = []
    if let system = DiskUse.of("/") { disks.append(("system", system)) }
    for (name, path) in [("ephemeral", layout.data), ("persistent", layout.store)] where MountTable.isMountPoint(path) {
      if let use = DiskUse.of(path) { disks.append((name, use)) }
    }
    return disks
  }
}

/// How full a file system is.
enum DiskUse {
  static func of(_ path: String) -> Vitals.Disk? {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    return Vitals.Disk(
      percent: percent(
        used: information.f_blocks - information.f_bfree,
        of: information.f_blocks - information.f_bfree + information.f_bavail),
      inodePercent: percent(used: information.f_files - information.f_ffree, of: information.f_files))
  }

  static func percent(used: UInt, of total: UInt) -> String {
    total == 0 ? "0" : String(Int((Double(used) / Double(total) * 100).rounded()))
  }
}
