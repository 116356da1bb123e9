public import Surroundings

/// How one clean-up or one build of a resource has ended.
public struct PoolWorkRecord: Sendable, Hashable {
  public var at = Timestamp(nanoseconds: 0)
  /// `clean` or `build`.
  public var kind: String
  public var succeeded: Bool
  public var ending: String
  public var duration: Duration
  /// The last part of what it wrote.
  public var log: String
  /// Tells work that is told of again from other work; empty where nobody tells twice.
  public var run: String

  public init(kind: String, succeeded: Bool, ending: String, duration: Duration, log: String, run: String = "") {
    self.kind = kind
    self.succeeded = succeeded
    self.ending = ending
    self.duration = duration
    self.log = log
    self.run = run
  }
}

/// What is known of the work of janitors and masons on one resource.
public struct PoolWorkAccount: Sendable, Hashable {
  /// The latest ones, the latest first.
  public internal(set) var records: [PoolWorkRecord] = []
  /// How many failed one after the other, since the last that succeeded or the resource was put aside.
  public internal(set) var failures = 0
  /// Its latest work failed, so that somebody may want to look at it.
  var hasFailed: Bool { records.first?.succeeded == false }
  var lastAt: Timestamp { records.first?.at ?? Timestamp(nanoseconds: 0) }
}

/// The accounts of resources. Those whose latest work succeeded make room for newer ones early, the others late.
struct WorkLog: Sendable {
  static let mostRecords = 3
  static let mostSucceeded = 1000
  static let mostFailed = 10_000
  /// Of what succeeded no more is kept than this, in bytes.
  static let longestSuccess = 512

  private struct Turn: Comparable, Sendable {
    var sequence: Int
    var key: String
    static func < (left: Turn, right: Turn) -> Bool { left.sequence < right.sequence }
  }

  private var accounts: [String: (account: PoolWorkAccount, sequence: Int)] = [:]
  private var succeeded = RankedSet<Turn>()
  private var failed = RankedSet<Turn>()
  private var next = 0

  subscript(key: String) -> PoolWorkAccount? { accounts[key]?.account }

  /// - Returns: the account, and the keys of those that were forgotten for it.
  mutating func add(_ key: String, _ record: PoolWorkRecord) -> (PoolWorkAccount, forgotten: [String]) {
    var record = record
    if record.succeeded {
      record.log = String(decoding: record.log.utf8.suffix(Self.longestSuccess), as: UTF8.self)
    }
    var account = accounts[key]?.account ?? PoolWorkAccount()
    account.records.insert(record, at: 0)
    if account.records.count > Self.mostRecords { account.records.removeLast() }
    account.failures = record.succeeded ? 0 : account.failures + 1
    return (account, put(key, account))
  }

  /// - Returns: the keys of those that were forgotten for it.
  mutating func put(_ key: String, _ account: PoolWorkAccount) -> [String] {
    _ = forget(key)
    next += 1
    accounts[key] = (account, next)
    let turn = Turn(sequence: next, key: key)
    if account.hasFailed { failed.insert(turn) } else { succeeded.insert(turn) }
    var forgotten: [String] = []
    if succeeded.count > Self.mostSucceeded, let first = succeeded.first { forgotten.append(first.key) }
    if failed.count > Self.mostFailed, let first = failed.first { forgotten.append(first.key) }
    for key in forgotten { _ = forget(key) }
    return forgotten
  }

  /// The resource was put aside: its failures are counted anew from then on.
  mutating func startAnew(_ key: String) -> PoolWorkAccount? {
    guard var entry = accounts[key] else { return nil }
    entry.account.failures = 0
    accounts[key] = entry
    return entry.account
  }

  /// - Returns: whether there was one.
  mutating func forget(_ key: String) -> Bool {
    guard let old = accounts.removeValue(forKey: key) else { return false }
    let turn = Turn(sequence: old.sequence, key: key)
    if old.account.hasFailed { failed.remove(turn) } else { succeeded.remove(turn) }
    return true
  }
}
