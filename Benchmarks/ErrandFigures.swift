import Files
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

  /// One and all of them, without the time that as many of the script take by themselves.
  private static func many(_ server: BenchServer) async throws -> [Figure] {
    let one = try await Timing.of(9) {
      try await server.drover("run-errand", "noop", "-d", "errands", "--instance", "many/0")
    }
    let all = try await Timing.of(5) { try await server.drover("run-errand", "noop", "-d", "errands") }
    let bareOne = try await bare(server, 1, runs: 9)
    let bareAll = try await bare(server, instances, runs: 5)
    let (ofOne, ofAll) = (one.median - bareOne.median, all.median - bareAll.median)
    let scripts = "\(Figure.text(bareOne.median * 1000)) ms and \(Figure.text(bareAll.median * 1000)) ms"
    return [
      Figure(name: "errand on one of them", value: one.median, unit: "s", note: one.spread()),
      Figure(
        name: "errand on \(instances) instances at once", value: all.median, unit: "s", note: all.spread()),
      Figure(
        name: "both without their scripts, the one times the other", value: ofAll / ofOne, unit: "×",
        bound: .atMost(2), note: "the scripts alone take \(scripts)"),
    ]
  }

  /// How long it takes to run the script so many times at once, with nothing of ours around it.
  private static func bare(_ server: BenchServer, _ count: Int, runs: Int) async throws -> Timing {
    let script = """
      start=${EPOCHREALTIME/./}
      for ((number = 0; number < $2; number++)); do "$1" >/dev/null & done
      wait
      echo $((${EPOCHREALTIME/./} - start))
      """
    let errand = "\(server.repository)/Benchmarks/release/jobs/noop/templates/run.erb"
    let copy = "\(server.folder)/noop"
    try Files.replace(copy, with: Files.read(errand), mode: 0o755)
    var seconds: [Double] = []
    for _ in 0...runs {
      let text = try await server.command(["bash", "-c", script, "bash", copy, "\(count)"]).run().text
      guard let microseconds = Double(text.split(separator: "\n").last ?? "") else {
        throw DroverError(.failed, "timing \(count) bare scripts: \(copy) did not say how long that took: \(text)")
      }
      seconds.append(microseconds / 1e6)
    }
    // Without the first, which warms up.
    return Timing(seconds: Array(seconds.dropFirst()))
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
