import Formats

/// The rule by which a time zone goes on after the changes that are written down, as POSIX writes it in `TZ`:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Sendable, Hashable {
  /// A day of a year, and a time of that day.
  private struct Date: Sendable, Hashable {
    enum Day: Sendable, Hashable {
      /// The n-th, or with 5 the last, such day of the week in a month.
      case weekday(month: Int, week: Int, day: Int)
      /// From 1 on, without 29 February.
      case plain(Int)
      /// From 0 on, with it.
      case counted(Int)
    }

    var day: Day
    var seconds: Int

    /// In seconds since 1970 of the zone's own clock.
    func time(in year: Int) -> Int { number(in: year) * 86400 + seconds }

    private func number(in year: Int) -> Int {
      let first = CivilDay.number(year: year, month: 1, day: 1)
      switch day {
      case .plain(let day): return first + day - 1 + (CivilDay.isLeap(year) && day > 59 ? 1 : 0)
      case .counted(let day): return first + day
      case .weekday(let month, let week, let day):
        let start = CivilDay(CivilDay.number(year: year, month: month, day: 1))
        var number = start.number + (day - start.weekday + 7) % 7 + (week - 1) * 7
        while CivilDay(number).month != month { number -= 7 }
        return number
      }
    }
  }

  /// Seconds ahead of UTC.
  let standard: Int
  private let summer: Int
  private let begin: Date?
  private let end: Date?

  func changes(in year: Int) -> [ZoneRules.Change] {
    guard let begin, let end else { return [] }
    return [
      ZoneRules.Change(time: begin.time(in: year) - standard, offset: summer),
      ZoneRules.Change(time: end.time(in: year) - summer, offset: standard),
    ].sorted { $0.time < $1.time }
  }

  /// Nil when it cannot be read.
  init?(_ text: Substring) {
    var text = text
    guard Self.name(&text), let west = Self.time(&text) else { return nil }
    standard = -west
    guard !text.isEmpty else {
      (summer, begin, end) = (standard, nil, nil)
      return
    }
    guard Self.name(&text) else { return nil }
    if text.first != ",", let west = Self.time(&text) {
      summer = -west
    } else {
      summer = standard + 3600
    }
    guard let begin = Self.date(&text), let end = Self.date(&text), text.isEmpty else { return nil }
    (self.begin, self.end) = (begin, end)
  }

  private static func name(_ text: inout Substring) -> Bool {
    if text.first == "<" {
      guard let end = text.firstIndex(of: ">") else { return false }
      text = text[text.index(after: end)...]
      return true
    }
    let name = text.prefix { $0.isASCII && $0.isLetter }
    text = text[name.endIndex...]
    return name.count >= 3
  }

  private static func number(_ text: inout Substring) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count <= 3 else { return nil }
    text = text[digits.endIndex...]
    return Int(digits)
  }

  /// `[+-]hours[:minutes[:seconds]]`, in seconds.
  private static func time(_ text: inout Substring) -> Int? {
    let isNegative = text.first == "-"
    if isNegative || text.first == "+" { text.removeFirst() }
    guard var seconds = number(&text).map({ $0 * 3600 }) else { return nil }
    for unit in [60, 1] where text.first == ":" {
      text.removeFirst()
      guard let part = number(&text) else { return nil }
      seconds += part * unit
    }
    return isNegative ? -seconds : seconds
  }

  /// `,M3.5.0/2`, `,J60` or `,59`.
  private static func date(_ text: inout Substring) -> Date? {
    guard text.first == "," else { return nil }
    text.removeFirst()
    let day: Date.Day
    switch text.first {
    case "M":
      text.removeFirst()
      var numbers: [Int] = []
      for index in 0..<3 {
        if index > 0 {
          guard text.first == "." else { return nil }
          text.removeFirst()
        }
        guard let number = number(&text) else { return nil }
        numbers.append(number)
      }
      guard 1...12 ~= numbers[0], 1...5 ~= numbers[1], 0...6 ~= numbers[2] else { return nil }
      day = .weekday(month: numbers[0], week: numbers[1], day: numbers[2])
    case "J":
      text.removeFirst()
      guard let number = number(&text), 1...365 ~= number else { return nil }
      day = .plain(number)
    default:
      guard let number = number(&text), 0...365 ~= number else { return nil }
      day = .counted(number)
    }
    guard text.first == "/" else { return Date(day: day, seconds: 7200) }
    text.removeFirst()
    return time(&text).map { Date(day: day, seconds: $0) }
  }
}
