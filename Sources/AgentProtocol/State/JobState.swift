/// The state of all jobs of an instance together, or of one process (reference/agent.md 14).
///
/// A struct, since foreign agents may say something else.
public struct JobState: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let running = JobState(rawValue: "running")
  public static let starting = JobState(rawValue: "starting")
  public static let failing = JobState(rawValue: "failing")
  public static let stopped = JobState(rawValue: "stopped")
  /// The supervisor cannot be asked.
  public static let unknown = JobState(rawValue: "unknown")

  public var description: String { rawValue }
}
