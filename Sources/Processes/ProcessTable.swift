import CLinux
import Files
import Glibc

/// All processes at one moment.
public struct ProcessTable: Sendable {
  public let processes: [Int: ProcessStat]

  public init(_ processes: some Sequence<ProcessStat>) {
    self.processes = Dictionary(processes.map { ($0.pid, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The processes of this machine (of this pid namespace) now.
  public static func snapshot() -> ProcessTable {
    let names = (try? Files.names(in: "/proc")) ?? []
    return ProcessTable(names.compactMap { Int($0) }.compactMap { ProcessStat.read(pid: $0) })
  }

  /// The direct children of a process, by pid.
  public func children(of pid: Int) -> [ProcessStat] {
    processes.values.filter { $0.parent == pid }.sorted { $0.pid < $1.pid }
  }

  /// All processes below a process, each after its parent; the process itself is not among them.
  public func descendants(of pid: Int) -> [ProcessStat] {
    var childrenByParent: [Int: [ProcessStat]] = [:]
    for process in processes.values where process.pid != pid {
      childrenByParent[process.parent, default: []].append(process)
    }
    var found: [ProcessStat] = []
    var queue = [pid]
    while let parent = queue.popLast() {
      for child in (childrenByParent.removeValue(forKey: parent) ?? []).sorted(by: { $0.pid < $1.pid }) {
        found.append(child)
        queue.append(child.pid)
      }
    }
    return found
  }

  /// The living processes of a session or process group, both of which are named by their first process. That number is
  /// not given to a new process while any of them is left.
  public func members(ofSessionOrGroup id: Int) -> [ProcessStat] {
    guard id > 0 else { return [] }
    return processes.values.filter { ($0.session == id || $0.group == id) && $0.isAlive }.sorted { $0.pid < $1.pid }
  }

  /// What a process and all below it use; nil when it is not there.
  public func usage(ofTreeAt pid: Int) -> ProcessUsage? {
    guard let root = processes[pid], root.isAlive else { return nil }
    let below = descendants(of: pid)
    let pageKilobytes = max(1, Int(getpagesize()) / 1024)
    return ProcessUsage(
      residentKilobytes: root.residentPages * pageKilobytes,
      totalResidentKilobytes: ([root] + below).reduce(0) { $0 + $1.residentPages } * pageKilobytes,
      ownCPUTime: Self.time(root.cpuTicks), cpuTime: Self.time(([root] + below).reduce(0) { $0 + $1.cpuTicks }),
      uptime: ProcessStat.age(startTicks: root.startTicks), children: below.count)
  }

  private static func time(_ ticks: UInt64) -> Duration { .seconds(Double(ticks) / Double(drover_ticks_per_second())) }

  /// The first processes of sessions that were started with all these variables in their environment, by pid.
  public func sessionLeaders(having environment: [String: String]) -> [ProcessIdentity] {
    let wanted = environment.map { Array("\($0.key)=\($0.value)".utf8) }
    return processes.values.filter { $0.session == $0.pid && $0.isAlive }.sorted { $0.pid < $1.pid }.compactMap {
      let variables = ((try? Files.read("/proc/\($0.pid)/environ")) ?? []).split(separator: 0).map { Array($0) }
      guard wanted.allSatisfy(variables.contains) else { return nil }
      return ProcessIdentity(pid: $0.pid, startTicks: $0.startTicks, bootID: ProcessIdentity.currentBootID)
    }
  }
}

extension ProcessStat {
  /// How long ago a process was started that says it was at that clock tick.
  static func age(startTicks: UInt64) -> Duration {
    let started = Double(startTicks) / Double(drover_ticks_per_second())
    return .seconds(max(0, Double(drover_boot_nanoseconds()) / 1e9 - started))
  }
}

/// What a process and the processes below it use.
public struct ProcessUsage: Sendable, Hashable {
  /// Resident memory of the process itself, in KiB.
  public let residentKilobytes: Int
  /// Resident memory of it and all below it, in KiB; pages they share count several times.
  public let totalResidentKilobytes: Int
  /// CPU time of the process itself, since its start.
  public let ownCPUTime: Duration
  /// CPU time of it and all living ones below it, since their start.
  public let cpuTime: Duration
  /// Since the process was started.
  public let uptime: Duration
  /// How many processes are below it.
  public let children: Int
}
