import Documents
import Formats
import Surroundings

/// What a task writes while it runs: journals that can be read meanwhile (reference/director.md A.2).
public struct TaskOutput: Sendable {
  /// The kinds of output that can be asked for.
  public enum Kind: String, Sendable, CaseIterable { case event, result, debug, cpi, errand }

  let task: Int
  let journals: any Journals
  let surroundings: Surroundings

  /// The name of the journal of that kind.
  public static func journal(task: Int, _ kind: Kind) -> String { "tasks/\(task)/\(kind.rawValue)" }

  /// Appends an event line, which is told the time.
  func event(_ line: (Timestamp) -> [UInt8]) async throws {
    try await append(line(surroundings.now()), .event)
  }

  /// Appends a line with what an errand printed. Returns how long the journal is then.
  func errand(_ line: [UInt8]) async throws -> Int64 {
    try await append(line, .errand)
  }

  /// The lines with what errands printed so far.
  var errandLines: JournalLines { JournalLines(journals: journals, name: Self.journal(task: task, .errand)) }

  /// Writes the result, whole. One that a server had begun to write when it was killed is written anew.
  func result(_ bytes: [UInt8]) async throws {
    let name = Self.journal(task: task, .result)
    if let size = try await journals.size(name), size > 0 { try await journals.remove(name) }
    guard !bytes.isEmpty else { return }
    try await append(bytes, .result)
  }

  /// Appends, and tries again for as long as that fails: a disk that is full now has room again some day, and what a script
  /// prints waits for it where the script runs.
  @discardableResult
  private func append(_ bytes: [UInt8], _ kind: Kind) async throws -> Int64 {
    var pause = Duration.milliseconds(50)
    while true {
      do {
        return try await journals.append(Self.journal(task: task, kind), bytes)
      } catch let error as DroverError where error.code == .failed {
        try await surroundings.sleep(pause)
        pause = min(pause * 2, .seconds(2))
      }
    }
  }

  /// Cuts the parts of lines that a server was writing when it was killed.
  func mend() async {
    for kind in Kind.allCases where kind != .cpi { try? await journals.mend(Self.journal(task: task, kind)) }
  }

  /// Appends a line with the time to the debug output. A debug line that cannot be written is not worth a failure.
  func debug(_ text: String) async {
    let time = surroundings.now()
    _ = try? await journals.append(Self.journal(task: task, .debug), Array("\(time.preciseText) \(text)\n".utf8))
  }

  /// Appends what a CPI wrote to its standard error.
  func cpi(_ text: String) async {
    _ = try? await journals.append(Self.journal(task: task, .cpi), Array(text.utf8))
  }
}
