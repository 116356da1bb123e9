import Documents
import Formats
import Synchronization

/// The journal of what a run prints on all its instances, which says how far it is itself (``OutputPositions``).
final class OutputJournal: Sendable {
  /// How many bytes there are at least between two lines with positions: what is read after a restart.
  static let spacing: Int64 = 1 << 20

  private struct State {
    var positions: OutputPositions
    /// How long the journal is, as far as appends have returned.
    var size: Int64
    /// Where the last line with positions stands, and how long it is.
    var noted: Int64
    var notedLength: Int64 = 0
    /// Appends that have not returned, and how long the journal was when they began: they stand there or further on.
    var pending: [Int: Int64] = [:]
    var appends = 0
  }

  private let output: TaskOutput
  private let spacing: Int64
  private let state: Mutex<State>

  private init(_ output: TaskOutput, _ spacing: Int64, _ state: sending State) {
    self.output = output
    self.spacing = spacing
    self.state = Mutex(state)
  }

  /// Finds out how far it is.
  ///
  /// - Parameter isFresh: no output can be in it.
  static func open(_ output: TaskOutput, isFresh: Bool, spacing: Int64 = spacing) async throws -> OutputJournal {
    let lines = output.errandLines
    let size = try await lines.journals.size(lines.name) ?? 0
    var state = State(positions: OutputPositions(), size: size, noted: isFresh ? size : 0)
    if !isFresh {
      var since: Int64 = 0
      if let last = try await lines.last(beginning: OutputPositions.beginning),
        let noted = (try? JSON.parse(last.bytes)).flatMap(OutputPositions.read),
        noted.since <= last.start, try await lines.begins(at: noted.since)
      {
        (state.positions, since, state.noted) = (noted.positions, noted.since, last.start)
      }
      try await lines.forEach(from: since) { state.positions.take(try JSON.parse($0)) }
    }
    return OutputJournal(output, spacing, state)
  }

  /// Where the streams of an instance go on.
  func ends(of instance: String) -> OutputPositions.Ends { state.withLock { $0.positions[instance] } }

  /// Appends what an instance printed.
  ///
  /// - Parameters:
  ///   - what: `data`, or `gap`.
  ///   - count: how many bytes of the stream that is.
  func append(_ what: ValueObject, _ count: Int, _ stream: String, of instance: String, at offset: Int) async throws {
    var line: ValueObject = ["instance": .string(instance), "stream": .string(stream), "offset": .int(offset)]
    for (key, value) in what { line[key] = value }
    let number = state.withLock { state in
      state.appends += 1
      state.pending[state.appends] = state.size
      return state.appends
    }
    // One that fails stays pending: nobody knows what is there of it.
    let size = try await output.errand(JSON.bytes(.object(line)) + [0x0A])
    let note = state.withLock { state -> [UInt8]? in
      state.pending[number] = nil
      state.positions.take(stream, of: instance, to: offset + count)
      state.size = max(state.size, size)
      // With many instances the line is long: it does not become more than a small part of the journal.
      guard state.size - state.noted >= max(spacing, 16 * state.notedLength) else { return nil }
      let line = JSON.bytes(state.positions.line(since: state.pending.values.min() ?? state.size)) + [0x0A]
      (state.noted, state.notedLength) = (state.size, Int64(line.count))
      return line
    }
    if let note { _ = try await output.errand(note) }
  }
}
