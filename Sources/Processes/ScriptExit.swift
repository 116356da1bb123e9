import Formats
import Surroundings

/// How a script ended.
public enum ScriptExit: Sendable, Hashable, CustomStringConvertible {
  case exited(Int)
  case signalled(Int)
  /// It could not be executed; the text says why.
  case notStarted(String)
  /// Its runner was killed, so nobody knows. It may have run to its end, or not at all; it does not run any more.
  case lost

  /// The exit code as a shell would give it: 128 + n for signal n; nil when there is none.
  public var code: Int? {
    switch self {
    case .exited(let code): code
    case .signalled(let number): 128 + number
    case .notStarted, .lost: nil
    }
  }

  public var description: String {
    switch self {
    case .exited(let code): "exited with \(code)"
    case .signalled(let number): "was killed by signal \(number)"
    case .notStarted(let reason): reason
    case .lost: "its exit status is lost: the process that waited for it was killed"
    }
  }
}

/// How and when a script ended, as its runner writes it down.
struct ExitRecord: Sendable, Hashable {
  let exit: ScriptExit
  let ended: Timestamp
  /// How long the run's own output files were then; nil when that is not known.
  var sizes: [OutputStream: Int]?

  /// - Parameter why: the words for a script that could not be run, of the system's error and the step.
  init(_ value: Value, why: (_ error: Int32, _ stage: UInt32) throws -> String) throws {
    let reader = try FieldReader(value)
    ended = Timestamp(nanoseconds: Int64(try reader.int("ended")))
    for stream in [OutputStream.stdout, .stderr] {
      guard let size = try reader.optionalInt("\(stream.rawValue)_size") else { continue }
      sizes = (sizes ?? [:]).merging([stream: size]) { _, new in new }
    }
    if let code = try reader.optionalInt("code") {
      exit = .exited(code)
    } else if let number = try reader.optionalInt("signal") {
      exit = .signalled(number)
    } else if let number = try reader.optionalInt("errno") {
      exit = .notStarted(try why(Int32(clamping: number), UInt32(clamping: try reader.int("stage"))))
    } else {
      exit = .lost
    }
  }
}
