import ArgumentParser
import Formats
import Glibc
import Processes

/// Measures the programs as people run them, and prints each figure beside its budget. Nothing fails on time.
@main struct DroverBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drover-bench", abstract: "Measure Drover's speed and size on this machine.",
    discussion: """
      Starts a server of its own, with networks of its own, and removes it. Wants root, and what `scripts/install-dependencies`
      installs. Figures are medians, with the smallest and the largest beside them.
      """)

  @Option(help: "The folder of the programs to measure (default: the one this program is in).") var programs: String?
  @Option(help: "Only these groups of figures: \(Group.allCases.map(\.rawValue).joined(separator: ", ")).")
  var only: [Group] = []
  @Option(help: "A Go agent (cloudfoundry/bosh-agent) to measure beside ours.") var goAgent: String?
  @Flag(help: "Print JSON.") var json = false

  enum Group: String, CaseIterable, ExpressibleByArgument {
    case commands, agent, services, pools, deployments, errands, bpm
  }

  func run() async throws {
    ProgramStart.useLocalNames()
    let folder = try programs ?? Self.ownFolder()
    let groups = only.isEmpty ? Group.allCases : only
    for program in ["drover", "droverd", "drover-agent", "drover-cpi"] {
      try MemoryFigures.forget("\(folder)/\(program)")
    }
    var report = FigureReport(isJSON: json)
    defer { report.end() }
    if groups.contains(.commands) { report.add(try await CommandFigures.measure(programs: folder)) }
    if groups.contains(.agent) { report.add(try await AgentFigures.measure(programs: folder, goAgent: goAgent)) }
    if groups.contains(.services) { report.add(try await ServiceFigures.measure(programs: folder)) }
    if groups.contains(.pools) { report.add(try await PoolFigures.measure(programs: folder)) }
    if groups.contains(.deployments) || groups.contains(.errands) {
      try await BenchServer.with(programs: folder, repository: Self.workingDirectory()) { server in
        if groups.contains(.deployments) {
          report.add(try await DeploymentFigures.measure(server))
          report.add(try await MemoryFigures.measure(server))
        }
        if groups.contains(.errands) { report.add(try await ErrandFigures.measure(server)) }
      }
    }
    if groups.contains(.bpm) {
      if let obstacle = BPMFigures.obstacle, only.isEmpty {
        if !json { print("bpm is not measured: \(obstacle)") }
      } else {
        report.add(try await BPMFigures.measure(programs: folder))
      }
    }
  }

  private static func ownFolder() throws -> String {
    var path = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &path, path.count)
    guard count > 0 else { throw DroverError(.failed, "reading /proc/self/exe") }
    let folders = path[..<count].map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: "/")).dropLast()
    return folders.map { "/" + String(decoding: $0, as: UTF8.self) }.joined()
  }

  private static func workingDirectory() throws -> String {
    guard let path = getcwd(nil, 0) else { throw DroverError(.failed, "reading the working directory") }
    defer { free(path) }
    return String(cString: path)
  }
}
