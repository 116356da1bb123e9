import Files
import Formats
import Processes

/// Something of a server on its host: what `drover down --destroy` must not leave.
struct Trace: Hashable, CustomStringConvertible {
  enum Kind: CaseIterable, Hashable { case process, mount, loop, address, cgroup, file }

  /// The kinds that every running server has on this machine.
  static let expected = Set(Kind.allCases).subtracting(Files.isVisible("/dev/loop-control") ? [] : [.loop])

  let kind: Kind
  let what: String
  var description: String { "\(kind): \(what)" }

  /// All that can be found of a server. Other servers and tests on the same host do not count.
  static func find(_ server: ServerUnderTest) async throws -> [Trace] {
    var found: [Trace] = []
    for pid in try Files.names(in: "/proc").compactMap({ Int($0) }) {
      let arguments = Files.textIfPresent("/proc/\(pid)/cmdline") ?? ""
      if arguments.contains(server.state) { found.append(Trace(kind: .process, what: arguments)) }
      // A VM's mounts are in a namespace of its own.
      let mounts = Files.textIfPresent("/proc/\(pid)/mountinfo") ?? ""
      if let line = mounts.split(separator: "\n").first(where: { $0.contains(server.state) }) {
        found.append(Trace(kind: .mount, what: "\(pid): \(line)"))
      }
    }
    for device in try Files.names(in: "/sys/block") where device.hasPrefix("loop") {
      let file = Files.textIfPresent("/sys/block/\(device)/loop/backing_file") ?? ""
      if file.contains(server.state) { found.append(Trace(kind: .loop, what: "\(device) \(file)")) }
    }
    let addresses = try await Command("ip", "-o", "-4", "address", "show").run().text
    for line in addresses.split(separator: "\n")
    where line.contains("10.254.\(server.subnet).") || line.contains("10.244.\(server.subnet).") {
      found.append(Trace(kind: .address, what: String(line)))
    }
    let groups = try await Command("find", "/sys/fs/cgroup", "-type", "d", "-name", "*\(server.name)*").result().text
    found += groups.split(separator: "\n").map { Trace(kind: .cgroup, what: String($0)) }
    if try Files.exists(server.state) { found.append(Trace(kind: .file, what: server.state)) }
    return found
  }
}
