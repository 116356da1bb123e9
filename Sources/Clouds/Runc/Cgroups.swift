import Containers
import Files
import Formats
import Glibc
import Surroundings

/// Cgroups of this host, as folders.
enum Cgroups {
  static func layout() -> CgroupLayout? {
    Files.textIfPresent("/proc/self/mountinfo").flatMap { CgroupLayout(mountInfo: $0) }
  }

  /// Removes a cgroup with all in it from every hierarchy. None there is fine. A process that was killed is in its
  /// cgroup for some moments more, so this is tried for a while.
  static func remove(_ path: String, in surroundings: Surroundings) async throws {
    guard path.count > 1 else { return }
    for attempt in 1... {
      do {
        for folder in layout()?.folders(of: path) ?? [] where try Files.exists(folder) { try removeTree(folder) }
        return
      } catch {
        if attempt == 100 { throw error }
        try await surroundings.sleep(.milliseconds(20))
      }
    }
  }

  /// Whether a process is in it or below it.
  static func holdsProcesses(_ path: String) throws -> Bool {
    for folder in layout()?.folders(of: path) ?? [] where try Files.exists(folder) {
      if try holds(folder) { return true }
    }
    return false
  }

  private static func removeTree(_ folder: String) throws {
    for name in try subfolders(folder) { try removeTree("\(folder)/\(name)") }
    guard rmdir(folder) != 0, errno != ENOENT else { return }
    throw systemError("removing the cgroup \(folder)")
  }

  private static func holds(_ folder: String) throws -> Bool {
    if let text = Files.textIfPresent("\(folder)/cgroup.procs"), !text.isEmpty { return true }
    return try subfolders(folder).contains { try holds("\(folder)/\($0)") }
  }

  private static func subfolders(_ folder: String) throws -> [String] {
    try Files.names(in: folder).filter { try Files.isFolder("\(folder)/\($0)") }
  }
}
