import Formats

/// Durations as Go reads and prints them: `300ms`, `1.5h`, `-2h45m`, `0`.
public enum GoDuration {
  private static let units: [String: UInt64] = [
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000,
  ]

  /// - Throws: ``DroverError`` with code `invalid` and Go's text.
  public static func parse(_ text: String) throws -> Duration {
    let invalid = DroverError(.invalid, "time: invalid duration \(quoted(text))")
    var rest = Array(text.utf8)[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    if rest.elementsEqual("0".utf8) { return .zero }
    guard !rest.isEmpty else { throw invalid }
    var total: UInt64 = 0
    while !rest.isEmpty {
      let (whole, fraction) = try number(&rest, invalid)
      let unitBytes = rest.prefix { $0 != UInt8(ascii: ".") && !(0x30...0x39).contains($0) }
      let unit = String(decoding: unitBytes, as: UTF8.self)
      rest = rest[unitBytes.endIndex...]
      guard !unit.isEmpty else {
        throw DroverError(.invalid, "time: missing unit in duration \(quoted(text))")
      }
      guard let size = units[unit] else {
        throw DroverError(
          .invalid, "time: unknown unit \(quoted(unit)) in duration \(quoted(text))")
      }
      let (scaled, overflow) = whole.multipliedReportingOverflow(by: size)
      guard !overflow, scaled <= 1 << 63 else { throw invalid }
      let (sum, overflowed) = total.addingReportingOverflow(scaled &+ UInt64(fraction * Double(size)))
      guard !overflowed, sum <= 1 << 63 else { throw invalid }
      total = sum
    }
    if isNegative { return .nanoseconds(Int64(truncatingIfNeeded: 0 &- total)) }
    guard total <= UInt64(Int64.max) else { throw invalid }
    return .nanoseconds(Int64(total))
  }

  /// As Go's package `time` quotes: with a quotation mark or a backslash escaped, and other bytes that are not printable
  /// ASCII one by one.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += "\\\(Unicode.Scalar(byte))"
      case 0x20..<0x80: result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return result + "\""
  }

  private static func number(_ rest: inout ArraySlice<UInt8>, _ invalid: DroverError) throws -> (UInt64, Double) {
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    var whole: UInt64 = 0
    for byte in digits {
      let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
      guard !overflow, product <= 1 << 63 else { throw invalid }
      whole = product + UInt64(byte - 0x30)
      guard whole <= 1 << 63 else { throw invalid }
    }
    rest = rest[digits.endIndex...]
    var fraction = 0.0
    var hasFraction = false
    if rest.first == UInt8(ascii: ".") {
      let decimals = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
      hasFraction = !decimals.isEmpty
      var scale = 0.1
      for byte in decimals.prefix(18) {
        fraction += Double(byte - 0x30) * scale
        scale /= 10
      }
      rest = rest[decimals.endIndex...]
    }
    guard !digits.isEmpty || hasFraction else { throw invalid }
    return (whole, fraction)
  }

  /// As Go prints it: `20m0s`, `1.5s`, `250ms`, `0s`.
  public static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    var nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    guard nanoseconds != 0 else { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    nanoseconds = abs(nanoseconds)
    if nanoseconds < 1_000 { return "\(sign)\(nanoseconds)ns" }
    if nanoseconds < 1_000_000 { return sign + decimal(nanoseconds, 1_000) + "µs" }
    if nanoseconds < 1_000_000_000 { return sign + decimal(nanoseconds, 1_000_000) + "ms" }
    let minutes = nanoseconds / 60_000_000_000
    let last = decimal(nanoseconds % 60_000_000_000, 1_000_000_000) + "s"
    if minutes == 0 { return sign + last }
    if minutes < 60 { return "\(sign)\(minutes)m\(last)" }
    return "\(sign)\(minutes / 60)h\(minutes % 60)m\(last)"
  }

  private static func decimal(_ number: Int64, _ unit: Int64) -> String {
    guard number % unit != 0 else { return "\(number / unit)" }
    var digits = String(unit + number % unit).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(number / unit).\(digits)"
  }
}
