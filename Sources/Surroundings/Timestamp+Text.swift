extension Timestamp {
  /// The time as RFC 3339 text in UTC, to the second: `2026-11-21T10:28:00Z`.
  public var text: String {
    let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86400)
    let secondOfDay = rest < 0 ? rest + 86400 : rest
    let (year, month, day) = Self.civil(fromDays: rest < 0 ? days - 1 : days)
    let time = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60].map { Self.padded($0, 2) }
    return
      "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T\(time.joined(separator: ":"))Z"
  }

  /// The same to the microsecond: `2026-11-21T10:28:00.000123Z`.
  public var preciseText: String {
    let micros = (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000 / 1000
    return "\(text.dropLast()).\(Self.padded(Int(micros), 6))Z"
  }

  /// The same to the nanosecond: `2026-11-21T10:28:00.000123456Z`.
  public var nanosecondText: String {
    let fraction = (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000
    return "\(text.dropLast()).\(Self.padded(Int(fraction), 9))Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// The date of a day counted from 1970-01-01, in the Gregorian calendar. Years are counted from March, so that the
  /// leap day is the last one, in eras of 400 years.
  private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
