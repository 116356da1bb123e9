import Containers
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Processes of a container that runc has lost track of: found by the container's cgroup and by the pidfile, so that
/// nothing is started a second time and nothing is left behind.
struct Leftovers: Sendable {
  let names: JobProcess
  /// `linux.cgroupsPath` as a start now would choose it.
  let cgroupsPath: String?
  let layout: CgroupLayout?

  init(names: JobProcess, cgroupsPath: String?) {
    self.names = names
    self.cgroupsPath = cgroupsPath
    layout = CgroupLayout(mountInfo: Files.textIfPresent("/proc/self/mountinfo") ?? "")
  }

  /// The cgroup folders of the container. Where it was started from elsewhere, the bundle still says where they are.
  private func folders(_ state: RuncState?) -> Set<String> {
    var folders = Set(state?.cgroups.values.map { $0 } ?? [])
    let bundled = (try? Files.read("\(names.bundle)/config.json", limit: 4 << 20)).flatMap { try? JSON.parse($0) }
    for path in [cgroupsPath, bundled?["linux"]?["cgroupsPath"]?.string] {
      if let path, let layout { folders.formUnion(layout.folders(of: SystemdCgroup.folder(path))) }
    }
    return folders
  }

  /// Those that live, the ones that nobody of them started first.
  ///
  /// - Throws: when the pidfile cannot be read: nobody knows then whether one lives.
  func living(_ state: RuncState?) throws -> [ProcessIdentity] {
    var pids = Set<Int>()
    for folder in folders(state) { Self.collect(folder, depth: 0, into: &pids) }
    var found = pids.compactMap { ProcessIdentity(livingPid: $0) }
    var candidates: [ProcessIdentity] = []
    if let state, let process = ProcessIdentity(livingPid: state.pid), process.startTicks == state.startTicks {
      candidates.append(process)
    }
    if let process = try Pidfile(names.pidfile).process() { candidates.append(process) }
    for process in candidates where !pids.contains(process.pid) && isOurs(process.pid) {
      found.append(process)
      pids.insert(process.pid)
    }
    let isInner = { (process: ProcessIdentity) in ProcessStat.read(pid: process.pid).map { pids.contains($0.parent) } }
    return found.sorted { $0.pid < $1.pid }.filter { isInner($0) == false } + found.filter { isInner($0) == true }
  }

  private static func collect(_ folder: String, depth: Int, into pids: inout Set<Int>) {
    guard depth < 8, let text = Files.textIfPresent("\(folder)/cgroup.procs") else { return }
    // Processes of other pid namespaces are listed as 0.
    pids.formUnion(text.split(separator: "\n").compactMap { Int($0) }.filter { $0 > 0 })
    for name in (try? Files.names(in: folder)) ?? [] where Files.isVisible("\(folder)/\(name)") {
      collect("\(folder)/\(name)", depth: depth + 1, into: &pids)
    }
  }

  /// Whether a pid from a file, which may have been used again, is in a cgroup that is called as the container's.
  private func isOurs(_ pid: Int) -> Bool {
    let wanted = [HostFeatures.cgroupName(of: names), names.containerID]
    return (Files.textIfPresent("/proc/\(pid)/cgroup") ?? "").split(whereSeparator: \.isNewline).contains { line in
      line.split(separator: "/").contains { part in
        wanted.contains { part == $0 || part.hasSuffix("bpm-\($0).scope") }
      }
    }
  }

  /// Ends them as a stop would, and by force when that takes too long.
  ///
  /// - Throws: ``DroverError`` when something lives on even then.
  func end(_ state: RuncState?, signal: Int32, within limit: Duration, _ surroundings: Surroundings) async throws {
    let found = try living(state)
    guard let first = found.first else { return }
    thaw(state)
    try first.signal(signal)
    let deadline = surroundings.elapsed() + limit
    for process in found {
      let left = max(.zero, deadline - surroundings.elapsed())
      _ = try await process.waitForExit(atMost: left, in: surroundings)
    }
    for _ in 0..<50 {
      let rest = try living(state)
      guard let next = rest.first else { return removeFolders(state) }
      for process in rest { try process.signal(SIGKILL) }
      _ = try await next.waitForExit(atMost: .seconds(1), in: surroundings)
    }
    throw DroverError(.failed, "processes of container \(names.containerID) do not end: \(try living(state))")
  }

  /// A frozen process takes no signal.
  func thaw(_ state: RuncState?) {
    for folder in folders(state) {
      for (name, text) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")]
      where Files.isVisible("\(folder)/\(name)") {
        try? OpenFile(writing: "\(folder)/\(name)", mode: nil).write(Array(text.utf8))
      }
    }
  }

  /// Empty ones go; one that is not empty stays, and that is all right.
  func removeFolders(_ state: RuncState?) { for folder in folders(state) { rmdir(folder) } }
}
