import Formats

/// How far what a run prints has been written to its journal: for each instance, where its streams go on.
///
/// After a restart the server learns it from the journal itself. So that this costs what was written last, and not all
/// there is, a line of the journal says it from time to time:
/// `{"positions": {"web/UUID": {"stdout": N, "stderr": M}}, "since": B}`. It counts all lines before byte B of the journal;
/// of those between B and itself it may count some, and taking these again changes nothing.
struct OutputPositions: Sendable, Hashable {
  struct Ends: Sendable, Hashable {
    var stdout = 0
    var stderr = 0
  }

  private var ends: [String: Ends] = [:]

  /// How lines with positions begin, and no others.
  static let beginning = "{\"positions\":"

  init() {}

  /// Where the streams of an instance go on.
  subscript(instance: String) -> Ends { ends[instance] ?? Ends() }

  /// Takes a line with output of an instance, or with what was left out of it; other lines say nothing.
  mutating func take(_ line: Value) {
    guard let instance = line["instance"]?.string, let offset = line["offset"]?.int else { return }
    let count = line["gap"]?.int ?? line["data"]?.string.flatMap { Base64.decode($0) }?.count ?? 0
    take(line["stream"]?.string ?? "", of: instance, to: offset + count)
  }

  /// Takes that a stream of an instance goes on at that offset.
  mutating func take(_ stream: String, of instance: String, to end: Int) {
    switch stream {
    case "stdout": ends[instance, default: Ends()].stdout = end
    case "stderr": ends[instance, default: Ends()].stderr = end
    default: break
    }
  }

  /// The line that says so, for a journal all of whose lines before byte `since` are counted.
  func line(since: Int64) -> Value {
    var positions = ValueObject()
    for (instance, ends) in ends.sorted(by: { $0.key < $1.key }) {
      positions[instance] = ["stdout": .int(ends.stdout), "stderr": .int(ends.stderr)]
    }
    return ["positions": .object(positions), "since": .int(Int(since))]
  }

  /// Reads such a line; nil when it is none.
  static func read(_ line: Value) -> (positions: OutputPositions, since: Int64)? {
    guard let instances = line["positions"]?.object, let since = line["since"]?.int, since >= 0 else { return nil }
    var positions = OutputPositions()
    for (instance, ends) in instances {
      guard let stdout = ends["stdout"]?.int, let stderr = ends["stderr"]?.int else { return nil }
      positions.ends[instance] = Ends(stdout: stdout, stderr: stderr)
    }
    return (positions, Int64(since))
  }
}
