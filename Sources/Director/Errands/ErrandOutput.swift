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
/// `{"instance": …, "stream": …, "offset": …, "gap": N}`. Other lines are ``OutputPositions``.
struct ErrandOutput: Sendable {
  let agent: AgentClient
  /// `group/uuid`.
  let instance: String
  let journal: OutputJournal
  let surroundings: Surroundings
  /// Where the stock CLI sees the lines; nil for no such events.
  let reporter: StepReporter?

  static func name(of instance: ResolvedInstance) -> String { "\(instance.group)/\(instance.id)" }

  /// Writes the line that names the instances, before anything is run; once, since the journal tells whether it is there.
  static func begin(_ instances: [ResolvedInstance], _ context: TaskContext) async throws {
    let journal = TaskOutput.journal(task: context.id, .errand)
    guard try await context.output.journals.size(journal) ?? 0 == 0 else { return }
    let names = instances.map { Value.object(["name": .string(name(of: $0)), "index": .int($0.index)]) }
    _ = try await context.output.errand(JSON.bytes(["instances": .array(names)]) + [0x0A])
  }

  /// How the output of a task ended.
  enum End: Sendable {
    /// All of it is in the journal; some agents send the task's result with the last of it, and the logs.
    case read(result: AgentResponse?, logs: LogResult?)
    /// The agent cannot be read from: the task's result has all there is.
    case unknown
  }

  /// What is to be read next: what is not in the journal yet.
  ///
  /// - Parameter agentTask: empty in the request that begins it.
  func request(agentTask: String = "", waitMilliseconds: Int) -> ReadOutputRequest {
    let offsets = journal.ends(of: instance)
    return ReadOutputRequest(
      taskID: agentTask, stdoutOffset: offsets.stdout, stderrOffset: offsets.stderr, waitMilliseconds: waitMilliseconds,
      wantsResult: true, logs: LogArchives.ofJobs)
  }

  /// Follows the output of a task of the agent until it has ended.
  ///
  /// - Parameter first: what was read, from where the journal is, with the answer that told the task.
  /// - Returns: how far the agent could be read from.
  func follow(agentTask: String, first: ReadOutputReply?) async throws -> End {
    var offsets = journal.ends(of: instance)
    var next = first
    var lines = OutputLines()
    while true {
      if next == nil {
        next = try await agent.readOutput(request(agentTask: agentTask, waitMilliseconds: 5000))
      }
      guard let reply = next.take() else { return .unknown }
      for (stream, text, offset, start) in [
        ("stdout", reply.stdout, offsets.stdout, reply.stdoutStart),
        ("stderr", reply.stderr, offsets.stderr, reply.stderrStart),
      ] where !text.isEmpty {
        let begin = start ?? offset
        if begin > offset {
          try await journal.append(["gap": .int(begin - offset)], begin - offset, stream, of: instance, at: offset)
        }
        let bytes = Base64.decode(text) ?? []
        try await journal.append(["data": .string(text)], bytes.count, stream, of: instance, at: begin)
        if let reporter {
          for line in lines.take(bytes, from: stream, at: surroundings.elapsed()) { try await reporter.status(line) }
        }
      }
      offsets = .init(stdout: reply.stdoutOffset, stderr: reply.stderrOffset)
      guard reply.ended else { continue }
      if let reporter {
        for line in lines.end() { try await reporter.status(line) }
      }
      return .read(result: reply.result, logs: reply.logs)
    }
  }

  /// Writes what an agent tells only with the result, unless it is there already.
  func complete(with result: ErrandResult) async throws {
    let offsets = journal.ends(of: instance)
    for (stream, text, offset) in [
      ("stdout", result.stdout, offsets.stdout), ("stderr", result.stderr, offsets.stderr),
    ] {
      let rest = Array(text.utf8.dropFirst(offset))
      if !rest.isEmpty {
        try await journal.append(
          ["data": .string(Base64.encode(rest))], rest.count, stream, of: instance, at: offset)
      }
    }
  }
}
