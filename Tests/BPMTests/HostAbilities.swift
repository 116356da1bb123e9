import Containers
import Files
import Formats
import Glibc
import Processes

@testable import BPM

/// What of a machine decides which tests with real containers can be made on it.
struct HostAbilities {
  /// What a test needs.
  enum Need: Hashable {
    case containers
    /// A cgroup controller.
    case controller(String)
    /// A process with a hard limit of so many open files.
    case openFiles(UInt64)
    /// A capability that a process is to get.
    case capability(String)
    case program(String)
  }

  var isRoot = true
  var programs: Set<String> = ["runc", "tini"]
  var controllers: Set<String> = []
  var room = ResourceRoom(openFiles: 1024, coreFileSize: .max, isExtensible: false)
  var capabilities: Set<String> = []

  /// This machine's.
  static let own: HostAbilities = {
    var own = HostAbilities()
    own.isRoot = geteuid() == 0
    own.programs = Set(["runc", "tini", "setpriv", "unshare"].filter { findProgram($0) != nil })
    own.controllers = controllers(
      mountInfo: Files.textIfPresent("/proc/self/mountinfo") ?? "",
      unified: Files.textIfPresent("/sys/fs/cgroup/cgroup.controllers"))
    own.room = ResourceRoom.own()
    own.capabilities = Set(
      Capabilities.boundingSet(inStatus: Files.textIfPresent("/proc/self/status") ?? "") ?? [])
    return own
  }()

  /// The controllers that containers can be limited with.
  ///
  /// - Parameter unified: `cgroup.controllers` of the v2 hierarchy, when that is the only one.
  static func controllers(mountInfo: String, unified: String?) -> Set<String> {
    var found = Set(CgroupLayout(mountInfo: mountInfo)?.mounts.keys.filter { !$0.isEmpty } ?? [])
    for name in (unified ?? "").split(whereSeparator: \.isWhitespace) { found.insert(String(name)) }
    return found
  }

  /// Why this machine does not have it; nil when it does.
  func obstacle(to need: Need) -> String? {
    switch need {
    case .containers:
      if !isRoot { return "containers need root" }
      return ["runc", "tini"].lazy.compactMap { obstacle(to: .program($0)) }.first
    case .program(let name): return programs.contains(name) ? nil : "\(name) is not installed"
    case .controller(let name):
      return controllers.contains(name) ? nil : "this machine has no cgroup controller \(name)"
    case .capability(let name): return capabilities.contains(name) ? nil : "this machine cannot give \(name)"
    case .openFiles(let count): return room.problem(ofOpenFiles: count)
    }
  }

  /// Why a test that needs all of these is left out; nil when it is not.
  func obstacle(to needs: [Need]) -> String? { needs.lazy.compactMap { obstacle(to: $0) }.first }

  /// Whether this machine has it all; prints why not.
  static func has(_ needs: Need..., for test: String) -> Bool {
    guard let reason = own.obstacle(to: needs) else { return true }
    print("skipped: \(test): \(reason)")
    return false
  }
}
