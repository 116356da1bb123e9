import Testing

@testable import Supervision

@Suite struct ServiceTestsTests {
  private func test(
    _ count: Int = 1, of cycles: Int = 1, _ action: ServiceTest.Action = .restart,
    recovery: ServiceTest.Window = .init(),
    changed: Bool = false
  ) -> ServiceTest {
    var test = ServiceTest(
      changed ? .changed(.timestamp) : .resource(.totalMemory, .greater, 1, .percent), action: action, line: 1)
    test.window = .init(count: count, cycles: cycles)
    test.recoveryWindow = recovery
    return test
  }

  /// What follows from a row of cycles: `.` passed, `x` failed, `?` unknown. In the answer, `-` is nothing, `!` an action
  /// with a report, `a` an action alone, `+` a recovery.
  private func run(_ test: ServiceTest, _ cycles: String) -> String {
    var tests = ServiceTests([test])
    return String(
      cycles.map { cycle -> Character in
        let outcome: ServiceTests.Outcome = cycle == "x" ? .failed("bad") : cycle == "." ? .passed : .unknown
        let verdicts = tests.judge([outcome])
        guard let verdict = verdicts.first else { return "-" }
        if verdict.event != test.event { return "+" }
        return verdict.isNews ? "!" : "a"
      })
  }

  @Test(
    "fires when the condition held often enough, then in every cycle in which it holds, and is reported once",
    arguments: [
      (1, 1, "..x..", "--!+-"), (1, 1, "xxx.x", "!aa+!"), (3, 3, "xx.xxxx.", "-----!a+"), (2, 4, "x..x...", "---!+--"),
      (2, 4, "x...x.x", "------!"), (3, 3, "xxx?x", "--!-a"), (1, 1, "???", "---"), (1, 1, "", ""),
    ])
  func windows(_ count: Int, _ cycles: Int, _ row: String, _ answer: String) {
    #expect(run(test(count, of: cycles), row) == answer)
  }

  @Test("a recovery may need several cycles, too, and the action goes on until then")
  func recovery() {
    #expect(run(test(recovery: .init(count: 2, cycles: 2)), "x.x..x") == "!-a-+!")
  }

  @Test("every change is news")
  func changes() {
    #expect(run(test(changed: true), ".xx.x") == "-!!+!")
  }

  @Test("tells what is wrong, and forgets it when told to")
  func failures() {
    var tests = ServiceTests([test(2, of: 2), test()])
    _ = tests.judge([.failed("first"), .failed("second")])
    #expect(tests.failures == [ServiceFailure(ServiceEvent(.resource, .failed), "second")])
    _ = tests.judge([.failed("first"), .passed])
    #expect(tests.failures.map(\.message) == ["first"])
    tests.reset()
    #expect(tests.failures.isEmpty)
    #expect(tests.judge([.failed("first"), .passed]).isEmpty)
  }

  @Test("in any row of cycles, it is bad exactly from a filled window to the next filled recovery")
  func property() {
    var seed: UInt64 = 3
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    for _ in 0..<500 {
      let cycles = 1 + next(6)
      let count = 1 + next(cycles)
      var tests = ServiceTests([test(count, of: cycles)])
      var row: [Bool] = []
      var isBad = false
      for _ in 0..<40 {
        row.append(next(2) == 0)
        _ = tests.judge([row.last == true ? .failed("") : .passed])
        if row.last == true {
          isBad = isBad || row.suffix(cycles).count { $0 } >= count
        } else {
          isBad = false
        }
        #expect(tests.failures.isEmpty == !isBad)
      }
    }
  }
}

@Suite struct RestartLimitsTests {
  private func limit(_ restarts: Int, within cycles: Int, _ action: ServiceTest.Action) -> ServiceTest {
    var test = ServiceTest(.restarts, action: action, line: 1)
    test.window = .init(count: restarts, cycles: cycles)
    return test
  }

  /// `r` a restart, `|` a cycle; the answer has one sign per cycle.
  private func run(_ limits: [ServiceTest], _ row: String) -> String {
    var counted = RestartLimits(limits)
    var answer = ""
    for sign in row {
      if sign == "r" { counted.restarted() } else { answer += counted.tick().isEmpty ? "-" : "!" }
    }
    return answer
  }

  @Test(
    "fires in the cycle after the last restart that is allowed, and begins anew when its window is over",
    arguments: [
      (1, 1, "r|", "!"), (1, 1, "|r||r|", "-!-!"), (2, 3, "r|r|", "-!"), (2, 3, "r||||r|", "-----"),
      (3, 5, "rrr|", "!"), (2, 2, "r|||r|r|", "----!"), (5, 5, "r|r|r|r|r|", "----!"), (5, 3, "r|r|r|r|r|", "-----"),
    ])
  func limits(_ restarts: Int, _ cycles: Int, _ row: String, _ answer: String) {
    #expect(run([limit(restarts, within: cycles, .unmonitor)], row) == answer)
  }

  @Test("says it in monit's words, and keeps what was counted")
  func text() {
    var limits = RestartLimits([limit(3, within: 5, .unmonitor)], restarts: 2, cycles: 1)
    limits.restarted()
    #expect(limits.tick().map(\.text) == ["service restarted 3 times within 2 cycles(s) - unmonitor"])
    #expect(limits.failures.map(\.event.name) == ["Timeout"])
    var none = RestartLimits([])
    none.restarted()
    #expect(none.tick().isEmpty && none.restarts == 0)
  }
}

@Suite struct ResourceReadingsTests {

  @Test("compares what was measured, and says what it found", arguments: cases)
  private func outcomes(test: ResourceCase) {
    var readings = ResourceReadings()
    readings.amounts[test.0] = test.3 == .percent ? .init(percent: test.4) : .init(value: test.4)
    #expect(readings.outcome(test.0, test.1, test.2, test.3) == test.5)
  }

  private static let cases: [ResourceCase] = [
    (.totalMemory, .greater, 80, .percent, 80, .passed),
    (
      .totalMemory, .greater, 80, .percent, 80.26,
      .failed("total mem amount of 80.3% matches resource limit [total mem amount>80.0%]")
    ),
    (
      .totalMemory, .greater, 1024, .bytes, 4096,
      .failed("total mem amount of 4kB matches resource limit [total mem amount>1kB]")
    ),
    (.memory, .greater, 5, .percent, 6, .failed("mem usage of 6.0% matches resource limit [mem usage>5.0%]")),
    (.cpu, .greater, 5, .percent, nil, .unknown),
    (.children, .equal, 2, .none, 2, .failed("children of 2 matches resource limit [children=2]")),
    (.children, .notEqual, 2, .none, 2, .passed),
    (.load1, .less, 0.5, .none, 0.25, .failed("loadavg(1min) of 0.3 matches resource limit [loadavg(1min)<0.5]")),
    (
      .space, .greaterOrEqual, 90, .percent, 90,
      .failed("space usage of 90.0% matches resource limit [space usage>=90.0%]")
    ),
    (.size, .greater, 10, .bytes, 11, .failed("size of 11 B matches resource limit [size>10 B]")),
    (.age, .greater, 60, .none, 61, .failed("timestamp test failed: changed 61 s ago")),
  ]

  @Test("reads /proc's tables")
  func tables() throws {
    let memory = try #require(
      SystemMemory.parse(
        "MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n"))
    #expect(memory == SystemMemory(total: 1000, used: 600, swap: 50, swapUsed: 30))
    let before = try #require(SystemTimes.parse("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1\n"))
    let after = try #require(SystemTimes.parse("cpu  20 10 20 120 30 0 0 0 0 0\n"))
    let shares = after.shares(since: before)
    #expect(shares.amounts[.userCPU]?.percent == 20 && shares.amounts[.waitCPU]?.percent == 20)
    #expect(shares.amounts[.systemCPU]?.percent == 10)
    #expect(SystemTimes.parse("") == nil && SystemMemory.parse("x") == nil)
  }
}

private typealias ResourceCase = (
  ServiceTest.Resource, ServiceTest.Comparison, Double, ServiceTest.Unit, Double?, ServiceTests.Outcome
)
