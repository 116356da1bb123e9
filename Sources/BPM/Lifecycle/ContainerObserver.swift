import Containers
import Files
import Formats
import Glibc
import Processes

/// Reads from files how a container is, without starting runc (design D11).
struct ContainerObserver: Sendable {
  enum Status: Sendable, Hashable {
    /// runc knows nothing of it.
    case absent
    /// Made, but its program has not been started.
    case created
    case running
    case paused
    /// Its first process has ended.
    case stopped
    /// runc's own record is empty, cut off or no record: nobody knows from it what lives.
    case broken
  }

  struct Observation: Sendable {
    var status: Status
    /// The container's first process while it lives.
    var process: ProcessIdentity?
    /// What runc's record says, as far as it can be read.
    var state: RuncState?
    /// Whether a foreign process has the pid and even the start time of the one that runc recorded: after a reboot.
    var isReplaced = false
  }

  /// runc's root.
  let runcRoot: String

  func folder(_ id: String) -> String { "\(runcRoot)/\(id)" }

  func observe(_ id: String) -> Observation {
    let folder = folder(id)
    // What cannot be looked at is not absent.
    if let isThere = try? Files.exists(folder), !isThere { return Observation(status: .absent) }
    guard let bytes = try? Files.read("\(folder)/state.json", limit: 16 << 20), let state = RuncState(bytes) else {
      return Observation(status: .broken)
    }
    guard state.isComplete else { return Observation(status: .broken, state: state) }
    guard let process = ProcessIdentity(livingPid: state.pid), process.startTicks == state.startTicks else {
      return Observation(status: .stopped, state: state)
    }
    guard Self.isMember(state.pid, state.cgroups) else {
      return Observation(status: .stopped, state: state, isReplaced: true)
    }
    let status: Status =
      if Files.isVisible("\(folder)/exec.fifo") { .created } else if Self.isFrozen(state) { .paused } else { .running }
    return Observation(status: status, process: process, state: state)
  }

  /// The ids of all containers, sorted.
  func ids() throws -> [String] {
    try Files.names(in: runcRoot).filter { try Files.isFolder(folder($0)) }
  }

  /// Whether a process is in one of a container's cgroups, told by the last part of their names: what comes before it
  /// differs between cgroup namespaces.
  private static func isMember(_ pid: Int, _ cgroups: [String: String]) -> Bool {
    let slash = UInt8(ascii: "/")
    var names: [[UInt8]] = []
    for path in cgroups.values {
      let name = Array(path.utf8.reversed().prefix { $0 != slash }.reversed())
      if !name.isEmpty, !names.contains(name) { names.append(name) }
    }
    guard !names.isEmpty, let text = try? Files.read("/proc/\(pid)/cgroup") else { return true }
    return text.split { $0 == slash || $0 == UInt8(ascii: "\n") }.contains { part in
      names.contains { part.elementsEqual($0) }
    }
  }

  private static func isFrozen(_ state: RuncState) -> Bool {
    if let folder = state.cgroups["freezer"] {
      let text = Files.textIfPresent("\(folder)/freezer.state") ?? ""
      return text.hasPrefix("FROZEN") || text.hasPrefix("FREEZING")
    }
    guard let folder = state.cgroups[""] else { return false }
    return (Files.textIfPresent("\(folder)/cgroup.events") ?? "").contains("frozen 1")
  }
}
