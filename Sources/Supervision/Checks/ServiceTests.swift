/// Decides, cycle by cycle, what follows from what a service's tests find: outcomes in, verdicts out, no I/O.
///
/// As in monit, a test that has fired fires again in every cycle in which it fails, but is reported once, until it has
/// recovered; a start of the service does not make it forget what was before.
struct ServiceTests: Sendable, Hashable {
  /// What one look at one test found.
  enum Outcome: Sendable, Hashable {
    case passed
    /// With what is wrong, in words.
    case failed(String)
    /// There is nothing to say yet.
    case unknown
  }

  /// Something that follows.
  struct Verdict: Sendable, Hashable {
    let event: ServiceEvent
    let action: ServiceTest.Action
    let text: String
    /// Whether it is to be reported; otherwise it has been.
    let isNews: Bool
  }

  private struct Record: Sendable, Hashable {
    enum State: Sendable, Hashable { case unknown, good, bad }
    let test: ServiceTest
    /// One bit per cycle, the lowest is the last one; 1 is failed.
    var history: UInt64 = 0
    var state = State.unknown
    var text = ""
  }

  private var records: [Record]

  /// - Parameter tests: those of a control file; limits of restarts are not for here.
  init(_ tests: [ServiceTest]) {
    records = tests.filter { $0.condition != .restarts }.map { Record(test: $0) }
  }

  var tests: [ServiceTest] { records.map(\.test) }

  /// What is wrong now.
  var failures: [ServiceFailure] {
    records.filter { $0.state == .bad }.map { ServiceFailure($0.test.event, $0.text) }
  }

  /// - Parameter outcomes: of ``tests``, in their order.
  mutating func judge(_ outcomes: [Outcome]) -> [Verdict] {
    zip(records.indices, outcomes).compactMap { judge(&records[$0], $1) }
  }

  /// Forgets all that was.
  mutating func reset() { self = ServiceTests(tests) }

  private func judge(_ record: inout Record, _ outcome: Outcome) -> Verdict? {
    let test = record.test
    switch outcome {
    case .unknown: return nil
    case .failed(let text):
      record.history = record.history << 1 | 1
      let isFilled = test.window.isFilled(by: record.history, with: 1)
      let isNews = isFilled && (record.state != .bad || test.event.turn == .changed)
      if isFilled { record.state = .bad }
      guard record.state == .bad else { return nil }
      record.text = text
      return Verdict(event: test.event, action: test.action, text: text, isNews: isNews)
    case .passed:
      record.history <<= 1
      let before = record.state
      guard before != .good, test.recoveryWindow.isFilled(by: record.history, with: 0) else { return nil }
      record.state = .good
      guard before == .bad else { return nil }
      return Verdict(
        event: test.recoveryEvent, action: test.recovery ?? .alert, text: "recovered from: \(record.text)",
        isNews: true)
    }
  }
}

/// Counts restarts that checks caused, for `if N restarts within M cycles` (`reference/lifecycle.md 3.2`).
///
/// The cycles are counted from the first restart on; when the longest window is over, everything begins anew.
struct RestartLimits: Sendable, Hashable {
  private let limits: [ServiceTest]
  private(set) var restarts = 0
  private(set) var cycles = 0
  private(set) var failures: [ServiceFailure] = []

  init(_ tests: [ServiceTest], restarts: Int = 0, cycles: Int = 0) {
    limits = tests.filter { $0.condition == .restarts }
    guard !limits.isEmpty else { return }
    self.restarts = max(0, restarts)
    self.cycles = max(0, cycles)
  }

  var isEmpty: Bool { limits.isEmpty }

  /// A check has started the service again.
  mutating func restarted() {
    if !limits.isEmpty { restarts += 1 }
  }

  /// A cycle begins.
  mutating func tick() -> [ServiceTests.Verdict] {
    guard restarts > 0 else { return [] }
    cycles += 1
    let before = failures
    failures = []
    var verdicts: [ServiceTests.Verdict] = []
    for limit in limits where restarts >= limit.window.count && cycles <= limit.window.cycles {
      let text = "service restarted \(restarts) times within \(cycles) cycles(s) - \(limit.action.alert.rawValue)"
      failures.append(ServiceFailure(limit.event, text))
      verdicts.append(.init(event: limit.event, action: limit.action, text: text, isNews: before.isEmpty))
    }
    if cycles > limits.reduce(0, { max($0, $1.window.cycles) }) {
      restarts = 0
      cycles = 0
    }
    return verdicts
  }

  mutating func reset() {
    restarts = 0
    cycles = 0
    failures = []
  }
}
