import Formats
import Testing

@testable import Manifests

@Suite struct CronTests {
  /// Seconds since 1970 of `2026-03-29 01:30`, in UTC.
  private func time(_ text: String) throws -> Int {
    let numbers = text.split { "- :".contains($0) }.compactMap { Int($0) }
    try #require(numbers.count == 5, "\(text)")
    let day = CivilDay.number(year: numbers[0], month: numbers[1], day: numbers[2])
    return day * 86400 + numbers[3] * 3600 + numbers[4] * 60
  }

  private func text(_ time: Int) -> String {
    let day = CivilDay(floorDivide(time, 86400))
    let minute = (time - day.number * 86400) / 60
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(day.year)-\(two(day.month))-\(two(day.day)) \(two(minute / 60)):\(two(minute % 60))"
  }

  private func ticks(_ cron: String, after start: String, in zone: ZoneRules = .utc, _ count: Int)
    throws -> [String]
  {
    var now = try time(start)
    let cron = try Cron(cron)
    return try (0..<count).map { _ in
      now = try #require(cron.next(after: now, in: zone))
      return text(now)
    }
  }

  @Test(
    "The next times of an expression",
    arguments: [
      ("*/10 * * * *", "2026-11-29 23:45", ["2026-11-29 23:50", "2026-11-30 00:00"]),
      (
        "5-59/20 8,20 * * *", "2026-12-31 08:30",
        ["2026-12-31 08:45", "2026-12-31 20:05", "2026-12-31 20:25"]
      ),
      // The tick itself is not after itself; seconds do not count.
      ("0 0 1 jan *", "2026-01-01 00:00", ["2027-01-01 00:00"]),
      ("0 12 * * MON-fri", "2026-11-27 12:00", ["2026-11-30 12:00"]),
      (
        "0 12 * * sat-sun", "2026-11-27 12:00",
        ["2026-11-28 12:00", "2026-11-29 12:00", "2026-12-05 12:00"]
      ),
      ("0 0 * * 7", "2026-11-23 00:00", ["2026-11-29 00:00"]),
      // Either day where both are restricted; both where one begins with *.
      (
        "0 0 13 * 5", "2026-11-01 00:00",
        ["2026-11-06 00:00", "2026-11-13 00:00", "2026-11-20 00:00"]
      ),
      ("0 0 */2 * 5", "2026-11-01 00:00", ["2026-11-13 00:00", "2026-11-27 00:00"]),
      ("0 0 1-7 * */7", "2026-11-02 00:00", ["2026-12-06 00:00"]),
      // 29 February, also across a year that is no leap year.
      ("0 0 29 2 *", "2096-03-01 00:00", ["2104-02-29 00:00"]),
      ("0 0 29 2 */3", "2072-03-01 00:00", ["2076-02-29 00:00"]),
      ("0 0 31 * *", "2026-08-31 00:00", ["2026-10-31 00:00", "2026-12-31 00:00"]),
      ("@hourly", "2026-11-29 23:00", ["2026-11-30 00:00"]),
      ("@Weekly", "2026-11-29 00:00", ["2026-12-06 00:00"]),
      ("@yearly", "2026-11-29 00:00", ["2027-01-01 00:00"]),
      ("0  0\t30  4,6  *", "2026-05-01 00:00", ["2026-06-30 00:00"]),
    ])
  func next(_ cron: String, _ start: String, _ expected: [String]) throws {
    #expect(try ticks(cron, after: start, expected.count) == expected)
  }

  @Test(
    "What is no schedule, or never comes, is refused, saying why",
    arguments: [
      ("0 0 31 2 *", "it never comes"),
      ("0 0 30,31 feb *", "it never comes"),
      ("0 0 31 4,6,9,11 *", "it never comes"),
      ("* * * *", "expected 5 fields (minute, hour, day of month, month, day of week), found 4"),
      ("0 * * * * *", "found 6"),
      ("", "found 0"),
      ("60 * * * *", "minute: found '60'; expected numbers from 0 to 59"),
      ("-1 * * * *", "minute: found '-1'"),
      ("* 24 * * *", "hour: found '24'"),
      ("* * 0 * *", "day of month: found '0'"),
      ("* * * foo *", "month: found 'foo'; expected numbers from 1 to 12, or jan to dec,"),
      ("* * * * 8", "day of week: found '8'"),
      ("*/0 * * * *", "the step is no number above 0"),
      ("5/15 * * * *", "a step needs a range, such as 5-59/15"),
      ("30-10 * * * *", "the range ends before it begins"),
      ("1,,2 * * * *", "minute: found ''"),
      ("*/5/2 * * * *", "minute: found '*/5/2'"),
      ("H * * * *", "minute: found 'H'"),
      ("99999999999999999999 * * * *", "minute: found"),
      ("@reboot", "unknown word; known are @annually"),
      ("@dayly", "did you mean '@daily'"),
    ])
  func mistakes(_ cron: String, _ expected: String) {
    let error = #expect(throws: DroverError.self) { try Cron(cron) }
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
  }

  // MARK: Time zones

  /// As Europe has it, by its rule alone.
  private var berlin: ZoneRules {
    ZoneRules(initial: 3600, rule: ZoneRule("CET-1CEST,M3.5.0,M10.5.0/3"))
  }

  @Test(
    "Where clocks are put forward, named times come at the change, and others as the clock shows them",
    arguments: [
      // 02:00 is 03:00 at 01:00 UTC.
      ("30 2 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
      ("0,30 2 * * *", "2026-03-29 00:59", ["2026-03-29 01:00", "2026-03-30 00:00"]),
      ("30 2 * * *", "2026-03-29 01:00", ["2026-03-30 00:30"]),
      ("0 3 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 01:00"]),
      ("0 0 29 3 *", "2026-03-28 12:00", ["2026-03-28 23:00", "2027-03-28 22:00"]),
      ("*/30 2 * * *", "2026-03-28 12:00", ["2026-03-30 00:00"]),
      ("15 * * * *", "2026-03-29 00:00", ["2026-03-29 00:15", "2026-03-29 01:15"]),
      (
        "*/30 * * * *", "2026-03-29 00:00",
        ["2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30"]
      ),
      ("30 2 29 3 *", "2026-01-01 00:00", ["2026-03-29 01:00", "2027-03-29 00:30"]),
    ])
  func forward(_ cron: String, _ start: String, _ expected: [String]) throws {
    #expect(try ticks(cron, after: start, in: berlin, expected.count) == expected)
  }

  @Test(
    "Where clocks are put back, named times come once, and others twice",
    arguments: [
      // 03:00 is 02:00 at 01:00 UTC.
      ("30 2 * * *", "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
      ("30 2 * * *", "2026-10-25 01:10", ["2026-10-26 01:30"]),
      ("0 3 * * *", "2026-10-24 12:00", ["2026-10-25 02:00"]),
      (
        "*/30 2 * * *", "2026-10-25 00:00",
        ["2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30"]
      ),
      (
        "30 * * * *", "2026-10-25 00:00",
        ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]
      ),
    ])
  func back(_ cron: String, _ start: String, _ expected: [String]) throws {
    #expect(try ticks(cron, after: start, in: berlin, expected.count) == expected)
  }

  @Test(
    "Rules of time zones, in all forms that POSIX knows",
    arguments: [
      // Offsets of the days 0, 90, 180, 270 of 2040, a leap year; in minutes.
      ("UTC0", [0, 0, 0, 0]),
      ("<+0545>-5:45", [345, 345, 345, 345]),
      ("EST5EDT,M3.2.0,M11.1.0", [-300, -240, -240, -240]),
      // Summer is in winter, south of the equator.
      ("AEST-10AEDT,M10.1.0,M4.1.0/3", [660, 660, 600, 600]),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", [-120, -60, -60, -60]),
      ("IST-1GMT0,M10.5.0,M3.5.0/1", [0, 60, 60, 60]),
      ("XXX0YYY,J60/0,J300/0", [0, 60, 60, 60]),
      ("XXX0YYY-2,90/0,271/0", [0, 120, 120, 120]),
      ("XXX3EDT4,0/0,J365/23", [-240, -240, -240, -240]),
    ])
  func rules(_ rule: String, _ minutes: [Int]) throws {
    let parsed = ZoneRule(rule[...])
    #expect(parsed != nil)
    let zone = ZoneRules(initial: 0, rule: parsed)
    let first = CivilDay.number(year: 2040, month: 1, day: 1)
    #expect(
      [0, 90, 180, 270].map { zone.offset(at: (first + $0) * 86400 + 43200) / 60 } == minutes)
  }

  @Test(
    "What is no rule is none",
    arguments: ["", "X", "CET", "CET-1CEST", "CET-1CEST,M13.1.0,M1.1.0", "CET-1,M1", "<A"])
  func noRules(_ text: String) { #expect(ZoneRule(text[...]) == nil) }

  @Test("The file of a time zone is read, whole or not at all")
  func file() throws {
    // Two changes, one second before and after 1970, and a rule.
    func big(_ number: Int, _ width: Int) -> [UInt8] {
      (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
    func block(_ width: Int) -> [UInt8] {
      let counts = [0, 0, 0, 2, 2, 8].flatMap { big($0, 4) }
      let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts
      let kinds = big(3600, 4) + [0, 0] + big(-7200, 4) + [1, 4]
      return header + big(-1, width) + big(1, width) + [1, 0] + kinds + Array("CET\0XST\0".utf8)
    }
    let bytes = block(4) + block(8) + Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
    let zone = try ZoneRules(file: bytes, name: "Test")
    #expect([-2, -1, 0, 1].map(zone.offset) == [3600, -7200, -7200, 3600])
    #expect(zone.offset(at: try time("2026-07-01 00:00")) == 7200)
    for count in 0..<bytes.count - 29 {
      let error = #expect(throws: DroverError.self) {
        try ZoneRules(file: Array(bytes.prefix(count)), name: "Test")
      }
      #expect(error?.message.hasPrefix("time zone 'Test': ") == true)
    }
    for index in bytes.indices {
      var wrong = bytes
      wrong[index] ^= 0xFF
      _ = try? ZoneRules(file: wrong, name: "Test")
    }
  }

  @Test("Days are what the calendar says, back and forth")
  func calendar() {
    var (year, month, day, weekday) = (1896, 1, 1, 3)
    for number in CivilDay.number(
      year: 1896, month: 1, day: 1)...CivilDay.number(year: 2105, month: 1, day: 1)
    {
      let date = CivilDay(number)
      guard (date.year, date.month, date.day, date.weekday) == (year, month, day, weekday),
        CivilDay.number(year: year, month: month, day: day) == number
      else {
        Issue.record("day \(number) is \(date), expected \(year)-\(month)-\(day)")
        return
      }
      let lengths = [31, CivilDay.isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      (day, weekday) = (day + 1, (weekday + 1) % 7)
      if day > lengths[month - 1] { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
  }
}
