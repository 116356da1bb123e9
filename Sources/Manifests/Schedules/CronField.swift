import Formats

/// One of the five fields of a cron expression: what is allowed there, and what it stands for.
struct CronField: Sendable {
  let name: String
  let range: ClosedRange<Int>
  /// Names of the numbers from the range's first on.
  var names: [String] = []

  static let minute = CronField(name: "minute", range: 0...59)
  static let hour = CronField(name: "hour", range: 0...23)
  static let day = CronField(name: "day of month", range: 1...31)
  static let month = CronField(
    name: "month", range: 1...12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
  /// 7 is Sunday too.
  static let weekday = CronField(
    name: "day of week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

  /// The numbers that a field's text stands for, one bit each.
  func parse(_ text: Substring) throws -> UInt64 {
    var bits: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let (numbers, step) = try range(of: part)
      for number in stride(from: numbers.lowerBound, through: numbers.upperBound, by: step) {
        bits |= 1 << number
      }
    }
    if isWeekday, bits & 0x80 != 0 { bits = bits & 0x7F | 1 }
    return bits
  }

  private func range(of part: Substring) throws -> (ClosedRange<Int>, step: Int) {
    let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
    guard !part.isEmpty, pieces.count <= 2 else { throw fail("found '\(part)'") }
    let bounds = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
    var step = 1
    if pieces.count == 2 {
      guard bounds.count == 2 || pieces[0] == "*" else {
        throw fail(
          "'\(part)': a step needs a range, such as \(pieces[0])-\(range.upperBound)/\(pieces[1])")
      }
      guard let number = Self.number(pieces[1]), number > 0 else {
        throw fail("'\(part)': the step is no number above 0")
      }
      step = number
    }
    if pieces[0] == "*" { return (isWeekday ? 0...6 : range, step) }
    guard bounds.count <= 2 else { throw fail("found '\(part)'") }
    let first = try value(bounds[0], in: part)
    guard bounds.count == 2 else { return (first...first, step) }
    var last = try value(bounds[1], in: part)
    // A week may end with Sunday.
    if isWeekday, last == 0, first > 0 { last = 7 }
    guard first <= last else { throw fail("'\(part)': the range ends before it begins") }
    return (first...last, step)
  }

  private var isWeekday: Bool { range.upperBound == 7 }

  private func value(_ text: Substring, in part: Substring) throws -> Int {
    if let index = names.firstIndex(of: text.lowercased()) { return range.lowerBound + index }
    guard let number = Self.number(text) else {
      throw fail("found '\(part)'")
    }
    guard range.contains(number) else { throw fail("found '\(part)'") }
    return number
  }

  private static func number(_ text: Substring) -> Int? {
    text.utf8.count <= 4 && text.utf8.allSatisfy { 48...57 ~= $0 } ? Int(text) : nil
  }

  private func fail(_ found: String) -> DroverError {
    let words = names.isEmpty ? "" : ", or \(names[0]) to \(names[names.count - 1]),"
    return DroverError(
      .invalid,
      "\(name): \(found); expected numbers from \(range.lowerBound) to \(range.upperBound)\(words) as *, a-b, a-b/step, "
        + "*/step, or a list of these")
  }
}
