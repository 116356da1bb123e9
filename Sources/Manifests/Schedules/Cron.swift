import Formats

/// When something is to happen again and again, as cron's tables write it: minute, hour, day of month, month, day of
/// week; or `@hourly` and the like.
///
/// Where both the day of month and the day of week are restricted, either one is enough; a field that begins with `*`
/// does not count as restricted.
public struct Cron: Sendable, Hashable {
  public let text: String
  private let minutes: UInt64
  private let hours: UInt64
  private let days: UInt64
  private let months: UInt64
  private let weekdays: UInt64
  private let eitherDay: Bool
  /// Whether it names its times of day, one by one: neither minute nor hour begin with `*`.
  let isFixed: Bool

  private static let words = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
  ]

  /// - Throws: ``DroverError`` with code `invalid`, also for one that never comes.
  public init(_ text: String) throws {
    let plain = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    self.text = plain
    guard !plain.hasPrefix("@") || Self.words[plain.lowercased()] != nil else {
      let all = Self.words.keys.sorted()
      throw DroverError(
        .invalid,
        "schedule '\(plain)': unknown word; known are \(all.joined(separator: ", "))"
          + NearNames.hint(plain, among: all))
    }
    let fields = (Self.words[plain.lowercased()] ?? plain).split(separator: " ")
    guard fields.count == 5 else {
      throw DroverError(
        .invalid,
        "schedule '\(plain)': expected 5 fields (minute, hour, day of month, month, day of week), found \(fields.count)"
      )
    }
    do {
      minutes = try CronField.minute.parse(fields[0])
      hours = try CronField.hour.parse(fields[1])
      days = try CronField.day.parse(fields[2])
      months = try CronField.month.parse(fields[3])
      weekdays = try CronField.weekday.parse(fields[4])
    } catch let error as DroverError {
      throw DroverError(.invalid, "schedule '\(plain)': \(error.message)")
    }
    eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    isFixed = !fields[0].hasPrefix("*") && !fields[1].hasPrefix("*")
    // From a leap year on that is followed by all others.
    let start = CivilDay.number(year: 2000, month: 1, day: 1) * 1440
    guard next(from: start, before: start + Self.horizon / 60) != nil else {
      throw DroverError(
        .invalid, "schedule '\(plain)': it never comes: no month it names has such a day")
    }
  }

  /// The longest time between two ticks, in seconds: 29 February on a certain day of the week, around the year 2100.
  static let horizon = 41 * 366 * 86400

  /// The first minute from `minute` on and before `end` that it names; both, and the result, in minutes since
  /// 1970-01-01 00:00 of a clock without changes.
  func next(from minute: Int, before end: Int) -> Int? {
    var day = floorDivide(minute, 1440)
    var minuteOfDay = minute - day * 1440
    while day * 1440 < end {
      let date = CivilDay(day)
      guard months & 1 << date.month != 0 else {
        (day, minuteOfDay) = (CivilDay.number(year: date.year, month: date.month + 1, day: 1), 0)
        continue
      }
      if isOn(date), let time = time(from: minuteOfDay) {
        let found = day * 1440 + time
        return found < end ? found : nil
      }
      (day, minuteOfDay) = (day + 1, 0)
    }
    return nil
  }

  private func isOn(_ date: CivilDay) -> Bool {
    let (byDay, byWeekday) = (days & 1 << date.day != 0, weekdays & 1 << date.weekday != 0)
    return eitherDay ? byDay || byWeekday : byDay && byWeekday
  }

  /// The first time of a day from there on, in minutes.
  private func time(from minuteOfDay: Int) -> Int? {
    let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
    if hours & 1 << hour != 0, let found = Self.first(minutes, from: minute) {
      return hour * 60 + found
    }
    guard let later = Self.first(hours, from: hour + 1), let found = Self.first(minutes, from: 0)
    else { return nil }
    return later * 60 + found
  }

  private static func first(_ bits: UInt64, from number: Int) -> Int? {
    let rest = number < 64 ? bits >> number : 0
    return rest == 0 ? nil : number + rest.trailingZeroBitCount
  }
}

extension Cron: Codable {
  public init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
