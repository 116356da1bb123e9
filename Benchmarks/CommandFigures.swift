import Files
import Processes

/// What every use of a program costs: its size on disk, and its start.
enum CommandFigures {
  static let programs = ["drover", "droverd", "drover-agent", "drover-cpi"]

  static func measure(programs folder: String) async throws -> [Figure] {
    let floor = try await Timing.of(30) { try await Command("/bin/true").run() }
    let help = try await Timing.of(30) { try await Command("\(folder)/drover", "--help").run() }
    var figures = [
      Figure(
        name: "drover --help", value: help.median * 1000, unit: "ms", bound: .atMost(30),
        note: "\(help.spread(1000)); /bin/true \(Figure.text(floor.median * 1000))")
    ]
    for program in Self.programs {
      let bytes = try Files.size("\(folder)/\(program)") ?? 0
      figures.append(Figure(name: "\(program) on disk", value: Double(bytes) / 1e6, unit: "MB", note: "stripped"))
    }
    return figures
  }
}
