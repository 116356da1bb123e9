import AgentProtocol
import Documents
import Formats
import Surroundings

/// Brings what an errand prints from the VM into the task's journals while it runs (design D13).
///
/// The agent is asked for the bytes from an offset on, again and again; the offsets are what has been written to the
/// journal, so that after any restart reading goes on where it was. A line of the journal of kind `errand` is a JSON
/// object: `{"instance": …, "stream": "stdout"|"stderr", "offset": …, "data": base64}`. The first line names the
/// instances: `{"instances": [{"name": "web/UUID", "index": 0}]}`. Where bytes beyond the run's limit are left out stands
/// `{"instance": …, "stream": …, "offset": …, "gap": N}`.
struct ErrandOutput: Sendable {
  let agent: AgentClient
  /// `group/uuid`.
  let instance: String
  let output: TaskOutput
  /// Where the stock CLI sees the lines; nil for no such events.
  let reporter: StepReporter?

  static func name(of instance: ResolvedInstance) -> String { "\(instance.group)/\(instance.id)" }

  /// Writes the line that names the instances, before anything is run; once, since the journal tells whether it is there.
  static func begin(_ instances: [ResolvedInstance], _ context: TaskContext) async throws {
    let journal = TaskOutput.journal(task: context.id, .errand)
    guard try await context.output.journals.size(journal) ?? 0 == 0 else { return }
    let names = instances.map { Value.object(["name": .string(name(of: $0)), "index": .int($0.index)]) }
    try await context.output.errand(JSON.bytes(["instances": .array(names)]) + [0x0A])
  }

  /// How the output of a task ended.
  enum End: Sendable {
    /// All of it is in the journal; some agents send the task's result with the last of it.
    case read(result: AgentResponse?)
    /// The agent cannot be read from: the task's result has all there is.
    case unknown
  }

  /// Follows the output of a task of the agent until it has ended.
  ///
  /// - Parameter isFresh: nothing can have been written before.
  /// - Returns: how far the agent could be read from.
  func follow(agentTask: String, isFresh: Bool) async throws -> End {
    var offsets = isFresh ? (stdout: 0, stderr: 0) : try await writtenSoFar()
    var lines = OutputLines()
    while true {
      let request = ReadOutputRequest(
        taskID: agentTask, stdoutOffset: offsets.stdout, stderrOffset: offsets.stderr, waitMilliseconds: 5000,
        wantsResult: true)
      guard let reply = try await agent.readOutput(request) else { return .unknown }
      for (stream, text, offset, start) in [
        ("stdout", reply.stdout, offsets.stdout, reply.stdoutStart),
        ("stderr", reply.stderr, offsets.stderr, reply.stderrStart),
      ] where !text.isEmpty {
        if let start, start > offset { try await write(["gap": .int(start - offset)], stream, at: offset) }
        try await write(["data": .string(text)], stream, at: start ?? offset)
        if let reporter, let bytes = Base64.decode(text) {
          for line in lines.take(bytes, from: stream, at: output.surroundings.elapsed()) {
            try await reporter.status(line)
          }
        }
      }
      offsets = (reply.stdoutOffset, reply.stderrOffset)
      guard reply.ended else { continue }
      if let reporter {
        for line in lines.end() { try await reporter.status(line) }
      }
      return .read(result: reply.result)
    }
  }

  /// Writes what an agent tells only with the result, unless it is there already.
  func complete(with result: ErrandResult) async throws {
    let offsets = try await writtenSoFar()
    for (stream, text, offset) in [
      ("stdout", result.stdout, offsets.stdout), ("stderr", result.stderr, offsets.stderr),
    ] {
      let rest = Array(text.utf8.dropFirst(offset))
      if !rest.isEmpty { try await write(["data": .string(Base64.encode(rest))], stream, at: offset) }
    }
  }

  private func write(_ what: ValueObject, _ stream: String, at offset: Int) async throws {
    var line: ValueObject = ["instance": .string(instance), "stream": .string(stream), "offset": .int(offset)]
    for (key, value) in what { line[key] = value }
    try await output.errand(JSON.bytes(.object(line)) + [0x0A])
  }

  /// How far the journal is, for this instance.
  private func writtenSoFar() async throws -> (stdout: Int, stderr: Int) {
    var offsets = (stdout: 0, stderr: 0)
    try await output.forEachErrandLine { line in
      guard line["instance"]?.string == instance, let offset = line["offset"]?.int else { return }
      let count = line["gap"]?.int ?? line["data"]?.string.flatMap(Base64.decode)?.count ?? 0
      if line["stream"]?.string == "stdout" { offsets.stdout = offset + count }
      if line["stream"]?.string == "stderr" { offsets.stderr = offset + count }
    }
    return offsets
  }
}
