/// Everything that a service needs from outside that would make two runs differ: time, waiting, identifiers and chance.
///
/// Nothing above floor 0 asks the system for these directly, so a whole server can run in simulation, in virtual time,
/// and a failing run can be replayed exactly.
public struct Surroundings: Sendable {
  /// The time of day.
  public var now: @Sendable () -> Timestamp
  /// A clock that never goes back, for measuring how long something took.
  public var elapsed: @Sendable () -> Duration
  /// Waits; throws `CancellationError` when the task is cancelled meanwhile.
  public var sleep: @Sendable (Duration) async throws -> Void
  /// A new identifier in the form of a random UUID, lower case.
  public var identifier: @Sendable () -> String
  /// That many unpredictable bytes.
  public var randomBytes: @Sendable (Int) -> [UInt8]
  /// Where the tasks run that a service begins; nil for the threads that all tasks share.
  public var executor: (any TaskExecutor)?

  public init(
    now: @escaping @Sendable () -> Timestamp,
    elapsed: @escaping @Sendable () -> Duration,
    sleep: @escaping @Sendable (Duration) async throws -> Void,
    identifier: @escaping @Sendable () -> String,
    randomBytes: @escaping @Sendable (Int) -> [UInt8],
    executor: (any TaskExecutor)? = nil
  ) {
    self.now = now
    self.elapsed = elapsed
    self.sleep = sleep
    self.identifier = identifier
    self.randomBytes = randomBytes
    self.executor = executor
  }

  /// Begins a task, as `Task { }` does, where these surroundings have their tasks run.
  @discardableResult
  public func task<Success: Sendable>(
    _ operation: @escaping @Sendable () async -> Success
  ) -> Task<Success, Never> {
    Task(executorPreference: executor, operation: operation)
  }

  /// Begins a task that may fail, as `Task { }` does, where these surroundings have their tasks run.
  @discardableResult
  public func task<Success: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Success
  ) -> Task<Success, any Error> {
    Task(executorPreference: executor, operation: operation)
  }
}

/// A point in time, in nanoseconds since 1970-01-01 00:00:00 UTC: between the years 1677 and 2262. What would be beyond is
/// the end of that.
public struct Timestamp: Sendable, Hashable, Comparable, Codable {
  public let nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  public init(seconds: Int) { self = Timestamp(nanoseconds: 0) + .seconds(seconds) }

  /// Whole seconds since 1970.
  public var seconds: Int { Int(nanoseconds / 1_000_000_000) }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

  public static func + (left: Timestamp, right: Duration) -> Timestamp {
    let (seconds, attoseconds) = right.components
    let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let distance = whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
    let sum = left.nanoseconds.addingReportingOverflow(distance.partialValue)
    let end = seconds < 0 ? Int64.min : Int64.max
    return Timestamp(nanoseconds: whole.overflow || distance.overflow || sum.overflow ? end : sum.partialValue)
  }

  /// How long it is from `right` to `left`.
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .nanoseconds(left.nanoseconds) - .nanoseconds(right.nanoseconds)
  }

  public init(from decoder: any Decoder) throws {
    nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(nanoseconds)
  }
}
