import ArgumentParser
import Formats
import Surroundings
import UnixSignals

/// Follows the run of an errand: what the script prints goes to standard output and standard error as it comes, what
/// Drover does meanwhile is told on standard error.
struct ErrandAttachment: Sendable {
  let client: DirectorClient
  let task: Int
  let json: Bool
  /// Whether what was printed before is left out.
  var fromNow = false

  /// Exit codes that are not the script's.
  enum Code {
    static let failed: Int32 = 125
    static let detached: Int32 = 130
  }

  /// How long after Ctrl-C another one means that the errand is to end.
  private static let secondThought = Duration.seconds(2)

  private enum Event: Sendable {
    case ended(Int32)
    case interrupted
    case secondThoughtOver
  }

  /// Does it, and ends with a code of our own when that fails, so that nobody takes it for the script's.
  static func tellingFailures(json: Bool, _ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let code as ExitCode {
      throw code
    } catch let error as DroverError {
      Console.remark("drover: \(error)")
      if json { Console.printJSON(["state": "refused", "error": .string("\(error)")]) }
      throw ExitCode(Code.failed)
    }
  }

  /// Ends with the script's exit code, or the one that says that there is none.
  func follow(onInterrupt mode: OnInterrupt) async throws {
    let code: Int32
    do {
      code = try await watch(mode)
    } catch let error as DroverError {
      Console.remark("drover: \(error)")
      if json { Console.printJSON(["task": .int(task), "error": .string("\(error)")]) }
      code = Code.failed
    }
    throw ExitCode(code)
  }

  private func watch(_ mode: OnInterrupt) async throws -> Int32 {
    let signals = AsyncStream<Void>.makeStream()
    let reader = Task {
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { signals.continuation.yield() }
    }
    defer { reader.cancel() }
    return try await withThrowingTaskGroup(of: Event?.self) { group in
      defer { group.cancelAll() }
      func listen() { group.addTask { await signals.stream.first { true } == nil ? nil : .interrupted } }
      group.addTask { .ended(try await print()) }
      listen()
      var plan = InterruptionPlan(mode)
      var isCancelling = false
      while let event = try await group.next() {
        switch event {
        case nil: continue
        case .ended(let code): return code
        case .secondThoughtOver: if !isCancelling { return detached() }
        case .interrupted:
          switch plan.interrupted() {
          case .detachSoon:
            remark("detaching: the errand goes on; Ctrl-C once more ends it. Follow it with: drover attach \(task)")
            group.addTask {
              try? await Surroundings.system.sleep(Self.secondThought)
              return .secondThoughtOver
            }
          case .detach:
            remark(
              (isCancelling ? "let go; the errand was asked to end." : "detached; the errand goes on.")
                + " Follow it with: drover attach \(task)")
            return detached()
          case .cancel:
            isCancelling = true
            await cancel()
          }
          listen()
        }
      }
      return Code.failed
    }
  }

  private func detached() -> Int32 {
    if json { Console.printJSON(["task": .int(task), "state": "detached"]) }
    return Code.detached
  }

  private func remark(_ text: String) { Console.remark("\nTask \(task): \(text)") }

  private func cancel() async {
    do {
      _ = try await client.expect(.delete, "/task/\(task)")
      remark("asked to end; its script gets SIGTERM, and SIGKILL after 10 s")
    } catch {
      remark("cannot be ended: \(error)")
    }
  }

  /// Prints all there is until the task has ended. Returns the exit code.
  private func print() async throws -> Int32 {
    let follower = TaskFollower(client: client, task: task)
    let printer = SharedEventPrinter(task: task)
    async let events: Void = printEvents(printer, from: fromNow ? follower.beginning(of: "event").size : 0)
    let json = json
    var output = ErrandPrinter { bytes, stream in
      // What the script prints does not stand behind a line of ours.
      printer.beside {
        // With --json standard output is the result's alone.
        Console.write(bytes, to: stream == .errors || json ? 2 : 1)
      }
    }
    var start = 0
    if fromNow {
      let beginning = try await follower.beginning(of: "errand")
      // The first line says which instances run it.
      if let end = beginning.bytes.firstIndex(of: 0x0A) { try output.take(Array(beginning.bytes[...end])) }
      start = beginning.size
    }
    try await follower.follow("errand", from: start) { try output.take($0) }
    output.end()
    let end = try await follower.state()
    try? await events
    guard end.state == "done" || end.state == "cancelled" else {
      Console.remark("drover: Task \(task): \(end.result ?? end.state)")
      if json { Console.printJSON(["task": .int(task), "state": .string(end.state), "error": Value(end.result)]) }
      return Code.failed
    }
    return report(try await follower.resultLines().filter { $0["errand_name"] != nil }, end)
  }

  private func report(_ outcomes: [Value], _ end: (state: String, result: String?)) -> Int32 {
    let code = Self.code(of: outcomes, state: end.state)
    if json {
      Console.printJSON([
        "task": .int(task), "state": .string(end.state), "exit_code": .int(Int(code)), "outcomes": .array(outcomes),
        "result": Value(end.result),
      ])
      return code
    }
    for outcome in outcomes {
      let (instance, failure) = (outcome["instance"], outcome["failure"]?.string)
      Console.remark(
        "Errand '\(outcome["errand_name"]?.string ?? "")' on \(instance?["group"]?.string ?? "")/"
          + "\(instance?["id"]?.string ?? ""): exit code \(outcome["exit_code"]?.int ?? -1)"
          + (failure.map { " (\($0))" } ?? ""))
    }
    if outcomes.isEmpty { Console.remark("Task \(task): \(end.result ?? end.state)") }
    return code
  }

  /// What the command ends with: the highest code of all instances.
  private static func code(of outcomes: [Value], state: String) -> Int32 {
    if outcomes.isEmpty { return state == "cancelled" ? Code.failed : 0 }
    // Those that were ended because another one had failed say nothing of their own.
    let counting = outcomes.filter { !["ended by fail-fast", "not run"].contains($0["failure"]?.string) }
    let codes = (counting.isEmpty ? outcomes : counting).compactMap { $0["exit_code"]?.int }
    return Int32(truncatingIfNeeded: codes.max() ?? 0)
  }

  /// What Drover does, without the lines that are printed raw anyway.
  private func printEvents(_ printer: SharedEventPrinter, from start: Int) async throws {
    var rest: [UInt8] = []
    try await TaskFollower(client: client, task: task).follow("event", from: start) { bytes in
      rest += bytes
      guard let end = rest.lastIndex(of: 0x0A) else { return }
      for line in rest[...end].split(separator: 0x0A) {
        let event = try JSON.parse(Array(line))
        if event["stage"]?.string == "Running errand", event["state"]?.string == "in_progress" { continue }
        try printer.take(Array(line) + [0x0A])
      }
      rest.removeSubrange(...end)
    }
    printer.end()
  }
}
