import Containers
import Formats

/// What of a host decides how its containers are made (reference/bpm.md 8).
public struct HostFeatures: Sendable, Hashable {
  /// Whether systemd manages cgroups.
  public var hasSystemd = false
  /// Whether swap can be limited.
  public var limitsSwap = false
  public var supportsSeccomp = true
  /// Folders with the name servers' addresses, of those that there are.
  public var resolverFolders: [String] = []
  /// `/proc/self/cgroup`.
  public var ownCgroups = ""
  /// Capabilities that can be given at all; nil when that is not known.
  public var boundingCapabilities: Set<String>?

  public init() {}

  /// Where containers' cgroups go: below this process's own.
  ///
  /// A host of v1 whose v2 hierarchy has nothing to tell (`0::/`, or no such line) may still have put this process, and
  /// with it the whole machine that it belongs to, below a path in the others. Two such machines on one host must not
  /// meet, so that path counts.
  public var ownCgroup: String? {
    var unified: String?
    var others: [String: String] = [:]
    for line in ownCgroups.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[0] == "0", fields[1].isEmpty { unified = String(fields[2]) }
      for controller in fields[1].split(separator: ",") { others[String(controller)] = String(fields[2]) }
    }
    if let unified, unified != "/" { return unified }
    let candidates = ["memory", "pids", "devices", "freezer", "cpu", "name=systemd"].compactMap { others[$0] }
    return candidates.first { $0 != "/" && !$0.contains("..") } ?? unified
  }

  /// `linux.cgroupsPath` of a container; nil leaves it to runc.
  func cgroupsPath(of names: JobProcess) -> String? {
    guard let own = ownCgroup else { return nil }
    let name = Self.cgroupName(of: names)
    if hasSystemd { return SystemdCgroup.path(own: own, name: name) }
    return CleanPath.clean("\(own)/\(name)")
  }

  /// The last part of a container's cgroup: its id and, where the BOSH root is moved, something that tells roots apart.
  static func cgroupName(of names: JobProcess) -> String {
    guard names.root != JobProcess.internalRoot else { return names.containerID }
    return "\(names.containerID)-\(PathDigest.hex(names.root).prefix(8))"
  }
}

/// Cgroups where systemd keeps them: `SLICE:PREFIX:NAME` is a scope in a slice.
enum SystemdCgroup {
  static func path(own: String, name: String) -> String {
    let parts = own.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    var slice = "system.slice"
    var unique = ""
    if let index = parts.firstIndex(where: { $0.hasSuffix(".slice") }) {
      slice = parts[index]
      if index + 1 < parts.count { unique = normalized(parts[index + 1]) }
    }
    if unique.isEmpty { unique = parts.lazy.map(normalized).first { !$0.isEmpty } ?? "" }
    return "\(slice):\(unique.isEmpty ? "" : unique + "-")bpm:\(name)"
  }

  private static func normalized(_ text: String) -> String {
    String(
      text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" || $0 == "_" ? $0 : "-" })
  }

  /// Where such a cgroup is below its hierarchies; a path that is no name for systemd is itself. A slice's name says
  /// which slices it is in: `a-b.slice` is in `a.slice`.
  static func folder(_ path: String) -> String {
    let parts = path.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return path }
    var folder = ""
    var name = ""
    for piece in parts[0].dropLast(".slice".count).split(separator: "-") {
      name += (name.isEmpty ? "" : "-") + piece
      folder += "/\(name).slice"
    }
    return "\(folder)/\(parts[1])-\(parts[2]).scope"
  }
}
