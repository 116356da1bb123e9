import Processes
import Surroundings

/// The service as it is now.
extension ServiceDriver {
  func status(_ table: ProcessTable, memoryTotal: Int, processors: Int) async -> ServiceStatus {
    var status = ServiceStatus(
      name: definition.name, kind: definition.kind, groups: definition.groups, monitoring: .yes,
      failures: (machine.failure.map { [$0] } ?? []) + tests.failures + limits.failures, isPending: !machine.isSettled)
    status.collected = collected
    switch machine.phase {
    case .unmonitored, .held, .waiting: status.monitoring = .no
    case .preparing, .starting: status.monitoring = machine.failure == nil ? .starting : .yes
    default: break
    }
    if case .running(.process(let process)) = machine.phase {
      status.pid = process.pid
      status.usage = usage(process, table, memoryTotal, processors)
    } else {
      samples = UsageSamples()
    }
    if !tests.tests.isEmpty, isRunning { status.connections = await probe.connections }
    return status
  }

  private func usage(
    _ process: ProcessIdentity, _ table: ProcessTable, _ memoryTotal: Int, _ processors: Int
  ) -> ServiceUsage? {
    guard let usage = table.usage(ofTreeAt: process.pid) else { return nil }
    let now = setting.surroundings.elapsed()
    let all = UsageSample(process: process, cpuTime: usage.cpuTime, taken: now)
    let own = UsageSample(process: process, cpuTime: usage.ownCPUTime, taken: now)
    let before = samples
    samples = UsageSamples(all: all, own: own)
    let share: (Int) -> Double = { memoryTotal > 0 ? 100 * Double($0) / Double(memoryTotal) : 0 }
    return ServiceUsage(
      parent: table.processes[process.pid]?.parent ?? 0, uptime: usage.uptime, children: usage.children,
      ownMemoryKilobytes: usage.residentKilobytes, ownMemoryPercent: share(usage.residentKilobytes),
      ownCPUPercent: own.percent(since: before.own, uptime: usage.uptime) / Double(max(1, processors)),
      memoryKilobytes: usage.totalResidentKilobytes, memoryPercent: share(usage.totalResidentKilobytes),
      cpuPercent: all.percent(since: before.all, uptime: usage.uptime) / Double(max(1, processors)))
  }
}

/// CPU times at the last look: of the process with all below it, and of its own.
struct UsageSamples: Sendable, Hashable {
  var all: UsageSample?
  var own: UsageSample?
}

/// CPU time at one moment, to be compared with a later one.
struct UsageSample: Sendable, Hashable {
  let process: ProcessIdentity
  let cpuTime: Duration
  let taken: Duration

  /// Of one CPU, since an earlier sample of the same process, or else since its start.
  func percent(since earlier: UsageSample?, uptime: Duration) -> Double {
    var used = cpuTime
    var span = uptime
    if let earlier, earlier.process == process, taken - earlier.taken > .milliseconds(100) {
      used = cpuTime - earlier.cpuTime
      span = taken - earlier.taken
    }
    guard span > .zero, used > .zero else { return 0 }
    return 100 * (used / span)
  }
}
