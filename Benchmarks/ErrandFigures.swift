import Formats
import Processes

/// Errands on many instances, and what they print.
enum ErrandFigures {
  private static let instances = 50
  private static let megabytes = 1000

  static func measure(_ server: BenchServer) async throws -> [Figure] {
    let deploy = try await Timing.once { try await server.drover("deploy", "-n", "Benchmarks/errands.yml") }
    var figures = [Figure(name: "deploy of \(instances) instances", value: deploy, unit: "s", note: "10 at once")]
    figures += try await many(server)
    figures += try await visible(server)
    figures += try await large(server)
    try await server.drover("delete-deployment", "-n", "-d", "errands")
    return figures
  }

  private static func many(_ server: BenchServer) async throws -> [Figure] {
    let one = try await Timing.of(9) {
      try await server.drover("run-errand", "noop", "-d", "errands", "--instance", "many/0")
    }
    let all = try await Timing.of(5) { try await server.drover("run-errand", "noop", "-d", "errands") }
    return [
      Figure(name: "errand on one of them", value: one.median, unit: "s", note: one.spread()),
      Figure(
        name: "errand on \(instances) instances at once, times that", value: all.median / one.median, unit: "×",
        bound: .atMost(2), note: "\(Figure.text(all.median)) s; \(all.spread())"),
    ]
  }

  /// From a line's being printed to its being there for who called.
  private static func visible(_ server: BenchServer) async throws -> [Figure] {
    let script = """
      "$@" 2>/dev/null | while read -r printed; do now=${EPOCHREALTIME/./}; echo $((now - printed)); done
      """
    let command = ["\(server.programs)/drover", "run-errand", "speak", "-d", "errands", "--instance", "many/0"]
    let text = try await server.command(["bash", "-c", script, "bash"] + command + ["--", "clock", "30"]).run().text
    let delays = Timing(seconds: text.split(separator: "\n").compactMap { Double($0) }.map { $0 / 1e6 })
    return [
      Figure(
        name: "line of an errand, until it is printed here", value: delays.median * 1000, unit: "ms",
        note: delays.spread(1000)),
      Figure(name: "the slowest of them", value: delays.maximum * 1000, unit: "ms", bound: .atMost(250)),
    ]
  }

  private static func large(_ server: BenchServer) async throws -> [Figure] {
    var file: [Double] = []
    var printed: [Double] = []
    var whole: [Double] = []
    for _ in 0..<3 {
      file.append(try await speak(server, "file"))
      whole.append(try await Timing.once { printed.append(try await speak(server, "output")) })
    }
    let (toFile, toUs) = (Timing(seconds: file), Timing(seconds: printed))
    let all = Timing(seconds: whole)
    return [
      Figure(
        name: "script that prints 1 GB while one reads it, times the same into a file",
        value: toUs.median / toFile.median, unit: "×", bound: .atMost(1.1),
        note: "\(Figure.text(toUs.median)) s, \(Figure.text(toFile.median)) s into a file; 3 runs"),
      Figure(
        name: "rate at which it is read", value: Double(megabytes) / all.median, unit: "MB/s",
        note: "until the command ends: \(Figure.text(all.median)) s; \(all.spread())"),
    ]
  }

  /// Seconds that a script of the errand took, by its own clock.
  private static func speak(_ server: BenchServer, _ kind: String) async throws -> Double {
    let command = ["\(server.programs)/drover", "run-errand", "speak", "-d", "errands", "--instance", "many/0"]
    let text = try await server.command(
      ["bash", "-c", "\"$@\" 2>&1 >/dev/null", "bash"] + command + ["--", kind, "\(megabytes)"]
    ).run().text
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("took ") }),
      let nanoseconds = Double(line.dropFirst(5))
    else { throw DroverError(.failed, "running the errand speak \(kind): it did not say how long it took: \(text)") }
    return nanoseconds / 1e9
  }
}
