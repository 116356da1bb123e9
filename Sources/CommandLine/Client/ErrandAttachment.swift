import ArgumentParser
import Formats

/// Follows the run of an errand: what the script prints goes to standard output and standard error as it comes, what
/// Drover does meanwhile is told on standard error.
struct ErrandAttachment: Sendable {
  let client: DirectorClient
  let task: Int
  let json: Bool

  /// Ends with the script's exit code.
  func follow() async throws {
    let follower = TaskFollower(client: client, task: task)
    async let events: Void = printEvents()
    var output = ErrandPrinter(json: json)
    let end = try await follower.follow("errand") { try output.take($0) }
    try? await events
    guard end.state == "done" || end.state == "cancelled" else {
      Console.remark("drover: Task \(task): \(end.result ?? end.state)")
      if json { Console.printJSON(["task": .int(task), "state": .string(end.state), "error": Value(end.result)]) }
      throw ExitCode(125)
    }
    let outcomes = try await follower.resultLines()
    if json {
      Console.printJSON(["task": .int(task), "state": .string(end.state), "outcomes": .array(outcomes)])
    } else {
      for outcome in outcomes {
        let instance = outcome["instance"]
        Console.remark(
          "Errand '\(outcome["errand_name"]?.string ?? "")' on \(instance?["group"]?.string ?? "")/"
            + "\(instance?["id"]?.string ?? ""): exit code \(outcome["exit_code"]?.int ?? -1)")
      }
    }
    if outcomes.isEmpty, end.state == "cancelled" { throw ExitCode(125) }
    throw ExitCode(Int32(truncatingIfNeeded: outcomes.compactMap { $0["exit_code"]?.int }.max() ?? 0))
  }

  /// What Drover does, without the lines that are printed raw anyway.
  private func printEvents() async throws {
    var printer = EventPrinter(task: task)
    _ = try await TaskFollower(client: client, task: task).follow("event") { bytes in
      let lines = bytes.split(separator: 0x0A).filter { line in
        let event = try? JSON.parse(Array(line))
        return !(event?["stage"]?.string == "Running errand" && event?["state"]?.string == "in_progress")
      }
      for line in lines { try printer.take(Array(line) + [0x0A]) }
    }
    printer.end()
  }
}

/// Writes the lines of a task's errand output as what they stand for.
struct ErrandPrinter {
  let json: Bool
  private var rest: [UInt8] = []

  init(json: Bool) { self.json = json }

  mutating func take(_ bytes: [UInt8]) throws {
    rest += bytes
    while let end = rest.firstIndex(of: 0x0A) {
      let line = try JSON.parse(Array(rest[..<end]))
      rest.removeSubrange(...end)
      guard let data = line["data"]?.string.flatMap(Base64.decode) else { continue }
      // With --json standard output is the result's alone.
      Console.write(data, to: line["stream"]?.string == "stderr" || json ? 2 : 1)
    }
  }
}
