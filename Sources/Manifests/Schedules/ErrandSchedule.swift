import Formats

/// When the director runs an errand again and again: `schedule` of an entry of `errands`.
public struct ErrandSchedule: Sendable, Hashable, Codable {
  /// What happens when the run before has not ended.
  public enum Overlap: String, Sendable, Hashable, Codable, CaseIterable {
    /// The tick is left out.
    case skip
    /// One run waits for its turn; ticks are left out while one does.
    case queue
    /// The run before is ended.
    case replace
  }

  /// What happens with ticks that passed while no server ran.
  public enum Missed: String, Sendable, Hashable, Codable, CaseIterable {
    /// One run for all of them.
    case runOnce = "run-once"
    case skip
  }

  public var cron: Cron
  /// A name such as `Europe/Berlin`.
  public var timeZone: String
  public var overlap: Overlap
  /// Each tick is late by some of these seconds, always the same for one tick.
  public var jitterSeconds: Int
  public var missed: Missed
  /// Ticks that were missed by more are not made up for; nil for no limit.
  public var missedLimitSeconds: Int?
  /// So many runs are kept, the last ones.
  public var keepLast: Int
  /// Whether it waits until somebody resumes it.
  public var isPaused: Bool

  static let keys: Set<String> = [
    "cron", "time_zone", "overlap", "jitter", "missed", "missed_limit", "keep_last", "paused",
  ]
  private static let longestJitter = 3600

  /// Reads `schedule`: a cron expression, or an object.
  static func read(_ entry: FieldReader, _ field: String) throws -> ErrandSchedule? {
    guard let value = entry.value(field) else { return nil }
    if value.string != nil {
      return try ErrandSchedule(FieldReader(["cron": value], at: entry.path), field)
    }
    return try ErrandSchedule(FieldReader(value, at: entry.place(field)), "cron")
  }

  /// - Parameter place: the name of the field with the expression, for errors.
  private init(_ reader: FieldReader, _ place: String) throws {
    try reader.allowOnly(Self.keys)
    let text = try reader.string("cron")
    do {
      cron = try Cron(text)
    } catch let error as DroverError {
      throw reader.error(place, error.message)
    }
    timeZone = try reader.optionalString("time_zone") ?? "UTC"
    overlap = try reader.optionalChoice("overlap") ?? .skip
    let isExact = try reader.optionalScalarText("jitter").map { Int($0) == 0 || (try? Duration(text: $0)) == .zero }
    jitterSeconds = isExact == true ? 0 : try reader.optionalSeconds("jitter") ?? 0
    guard jitterSeconds <= Self.longestJitter else {
      throw reader.error("jitter", "expected at most 1h")
    }
    missed = try reader.optionalChoice("missed") ?? .skip
    missedLimitSeconds = try reader.optionalSeconds("missed_limit")
    if missedLimitSeconds != nil, missed == .skip {
      throw reader.error("missed_limit", "nothing is made up for without 'missed: run-once'")
    }
    keepLast = try reader.optionalCount("keep_last") ?? 100
    guard 1...10_000 ~= keepLast else {
      throw reader.error("keep_last", "expected 1 to 10000, found \(keepLast)")
    }
    isPaused = try reader.optionalBool("paused") ?? false
  }
}
