import Files
import Formats
import Glibc
import Processes

/// Resident memory of what runs all the time.
enum MemoryFigures {
  static func measure(_ server: BenchServer) async throws -> [Figure] {
    // Idle for so long, an agent has given back what only work needed.
    try await Task.sleep(for: .seconds(12))
    var figures = [
      Figure(
        name: "droverd resident, idle", value: try resident(server.pid()), unit: "MB", bound: .atMost(80),
        note: "after the deploys and errands above")
    ]
    let agents = try agents(of: server).map(resident)
    guard !agents.isEmpty else { throw DroverError(.failed, "measuring agents: no drover-agent runs in a VM") }
    let timing = Timing(seconds: agents)
    figures.append(
      Figure(
        name: "drover-agent resident, idle", value: timing.median, unit: "MB", bound: .atMost(20),
        note: "\(agents.count) agents, largest \(Figure.text(timing.maximum))"))
    return figures
  }

  /// The agents in the server's VMs: their working files are below its state directory.
  private static func agents(of server: BenchServer) throws -> [Int] {
    try Files.names(in: "/proc").compactMap { Int($0) }.filter { pid in
      let arguments = (Files.textIfPresent("/proc/\(pid)/cmdline") ?? "").split(separator: "\0")
      guard arguments.first?.hasSuffix("drover-agent") == true else { return false }
      return (Files.textIfPresent("/proc/\(pid)/mountinfo") ?? "").contains(server.state)
    }
  }

  /// Has the system read a program from the disk anew. What was just built lies in memory in pieces of up to 2 MB, and
  /// all of a piece counts as resident in whoever touches a byte of it.
  static func forget(_ program: String) throws {
    let file = open(program, O_RDONLY)
    guard file >= 0 else { throw systemError("opening \(program)") }
    defer { close(file) }
    fsync(file)
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
  }

  static func resident(_ pid: Int) throws -> Double {
    guard let status = Files.textIfPresent("/proc/\(pid)/status"),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
      let kilobytes = line.split(separator: " ").compactMap({ Double($0) }).first
    else { throw DroverError(.notFound, "reading the memory of process \(pid)") }
    return kilobytes * 1024 / 1e6
  }
}
