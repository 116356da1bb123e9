public import Surroundings

/// Times as Go prints and reads them (RFC 3339).
public enum GoTime {
  /// What Go prints for a time that was never set.
  public static let zero = "0001-01-01T00:00:00Z"

  /// In UTC, with as many digits of the second as it takes.
  public static func text(_ time: Timestamp?) -> String {
    guard let time else { return zero }
    var nanoseconds = time.nanoseconds % 1_000_000_000
    if nanoseconds < 0 { nanoseconds += 1_000_000_000 }
    let whole = Timestamp(nanoseconds: time.nanoseconds - nanoseconds).text
    guard nanoseconds > 0 else { return whole }
    var digits = String(nanoseconds)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(whole.dropLast()).\(digits)Z"
  }

  /// Reads any RFC 3339 time; nil for Go's zero time.
  ///
  /// - Returns: nil inside when it is the zero time, nil outside when the text is no time.
  public static func parse(_ text: String) -> Timestamp?? {
    var rest = Array(text.utf8)[...]
    func number(_ count: Int, _ mark: String) -> Int? {
      guard rest.count >= count else { return nil }
      var value = 0
      for byte in rest.prefix(count) {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      rest = rest.dropFirst(count)
      guard !mark.isEmpty else { return value }
      guard let byte = rest.first, mark.utf8.contains(byte) else { return nil }
      rest = rest.dropFirst()
      return value
    }
    guard let year = number(4, "-"), let month = number(2, "-"), let day = number(2, "Tt"), let hour = number(2, ":"),
      let minute = number(2, ":"), let second = number(2, ""), (1...12).contains(month), (1...31).contains(day),
      hour < 24, minute < 60, second < 61
    else { return nil }
    var nanoseconds: Int64 = 0
    if rest.first == UInt8(ascii: ".") {
      let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty else { return nil }
      for index in 0..<9 {
        let byte = index < digits.count ? digits[digits.startIndex + index] : 0x30
        nanoseconds = nanoseconds * 10 + Int64(byte - 0x30)
      }
      rest = rest[digits.endIndex...]
    }
    guard let offset = offset(rest) else { return nil }
    if year == 1, month == 1, day == 1, hour == 0, minute == 0, second == 0 { return .some(nil) }
    let seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    guard abs(seconds) < 9_000_000_000 else { return nil }
    return Timestamp(nanoseconds: Int64(seconds) * 1_000_000_000 + nanoseconds)
  }

  private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
    if text.elementsEqual("Z".utf8) || text.elementsEqual("z".utf8) { return 0 }
    guard text.count == 6, let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
      return nil
    }
    let parts = String(decoding: text.dropFirst(), as: UTF8.self).split(separator: ":").map { Int($0) }
    guard parts.count == 2, let hours = parts[0], let minutes = parts[1], hours < 24, minutes < 60 else { return nil }
    return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
  }

  /// Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day is the last one.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
