import Formats
import NIOHTTP1
import Surroundings

/// Follows a task's output until the task has ended.
struct TaskFollower: Sendable {
  let client: DirectorClient
  let task: Int

  /// How long a server may be away, since it is being started again, before following it ends.
  static let patience = Duration.seconds(60)

  /// How many bytes are asked for at once.
  private static let chunk = 4 << 20

  /// Asks again while the server cannot be reached: tasks outlive their server, and so does following them.
  private func patiently<Result>(_ ask: () async throws -> Result) async throws -> Result {
    let surroundings = Surroundings.system
    let deadline = surroundings.elapsed() + Self.patience
    while true {
      do {
        return try await ask()
      } catch let error as DroverError where error.code == .unavailable && surroundings.elapsed() < deadline {
        try await surroundings.sleep(.milliseconds(250))
      }
    }
  }

  /// A task as it is now.
  func state() async throws -> (state: String, result: String?) {
    let value = try await patiently { try await client.get("/tasks/\(task)") }
    return (value["state"]?.string ?? "unknown", value["result"]?.string)
  }

  /// The first bytes of one kind of output, and how many there are now.
  func beginning(of kind: String) async throws -> (bytes: [UInt8], size: Int) {
    let answer = try await patiently {
      try await client.send(.get, "/tasks/\(task)/output?type=\(kind)", headers: ["Range": "bytes=0-65535"])
    }
    guard answer.status == 206 else { return ([], 0) }
    let size = answer.headers.first(name: "Content-Range")?.split(separator: "/").last.flatMap { Int($0) }
    return (answer.bytes, size ?? answer.bytes.count)
  }

  /// Those of the bytes that stay what they are: a line that a server was writing when it was killed is taken back by the
  /// next one, and may become another.
  static func settled(_ bytes: [UInt8], isFinal: Bool, limit: Int) -> ArraySlice<UInt8> {
    if isFinal { return bytes[...] }
    guard let end = bytes.lastIndex(of: 0x0A) else { return bytes.count < limit ? [] : bytes[...] }
    return bytes[...end]
  }

  /// In which the server answers once at most, in milliseconds: few answers for bursts of lines, none later for a single one.
  private static let pace = 25

  /// Hands every byte of one kind of output to `take` as it comes, until the task has ended.
  ///
  /// The server holds each question back until there is something new, so that nothing is asked twice in vain.
  func follow(_ kind: String, from start: Int = 0, _ take: (_ bytes: [UInt8]) async throws -> Void) async throws {
    var offset = start
    // Known before the question, so that the answer is all there will be.
    var hasEnded = false
    var pace = ""
    while true {
      let wait = hasEnded ? "" : "&wait=20\(pace)"
      let answer = try await patiently {
        try await client.send(
          .get, "/tasks/\(task)/output?type=\(kind)\(wait)",
          headers: ["Range": "bytes=\(offset)-\(offset + Self.chunk - 1)"])
      }
      let told = answer.headers.first(name: "Drover-Task-Ended")
      let isFinal = hasEnded || told == "true"
      switch answer.status {
      case 206 where !answer.bytes.isEmpty:
        let bytes = Self.settled(answer.bytes, isFinal: isFinal, limit: Self.chunk)
        // A line is being written.
        if bytes.isEmpty { try await Surroundings.system.sleep(.milliseconds(20)) }
        offset += bytes.count
        // What comes in large pieces is together already.
        pace = bytes.count < 1 << 16 ? "&pace=\(Self.pace)" : ""
        if !bytes.isEmpty { try await take(Array(bytes)) }
        if isFinal, answer.headers.first(name: "Content-Range")?.hasSuffix("/\(offset)") == true { return }
      case 206, 204, 416:
        if isFinal { return }
      default:
        throw client.refusal(answer, "reading the output of task \(task)")
      }
      // A server that does not tell is asked, before the next question.
      hasEnded = told == nil && !isFinal ? try await hasEndedByState() : isFinal
    }
  }

  private func hasEndedByState() async throws -> Bool {
    !["queued", "processing", "cancelling"].contains(try await state().state)
  }

  /// Prints events as they come.
  ///
  /// - Throws: when the task does not end well.
  func printEvents(json: Bool = false) async throws -> String? {
    var printer = EventPrinter(task: task)
    try await follow("event") { bytes in
      if json { Console.write(bytes, to: 2) } else { try printer.take(bytes) }
    }
    printer.end()
    let end = try await state()
    Console.remark("Task \(task) \(end.state)")
    guard end.state == "done" else {
      throw DroverError(end.state == "cancelled" ? .cancelled : .failed, "Task \(task): \(end.result ?? end.state)")
    }
    return end.result
  }

  /// The lines of the task's result.
  func resultLines() async throws -> [Value] {
    let answer = try await patiently { try await client.expect(.get, "/tasks/\(task)/output?type=result") }
    return try answer.bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
  }
}
