/// An amount of memory or disk, written as `64K`, `100M`, `1.5G`, `512MiB`, `1T` or a plain number of bytes. Units are
/// powers of 1024, as bpm, the agent and runc take them.
public struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    var unit = text[digits.endIndex...].uppercased()
    if unit.hasPrefix(" ") { unit.removeFirst() }
    if unit.hasSuffix("IB") { unit.removeLast(2) } else if unit.hasSuffix("B") { unit.removeLast() }
    let powers = ["": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50]
    guard let power = powers[unit], let number = Double(digits), number.isFinite, number >= 0 else {
      throw DroverError(.invalid, "size '\(text)': expected a number with K, M, G or T, such as 100M or 1.5G")
    }
    let bytes = number * Double(1 << power)
    guard bytes < 9e18 else { throw DroverError(.invalid, "size '\(text)' is too large") }
    self.bytes = Int(bytes)
  }

  public static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }

  /// With one decimal and the largest unit that fits: `1.5 GiB`.
  public var description: String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var unit = 0
    var tenths = bytes.multipliedReportingOverflow(by: 10).overflow ? bytes : bytes * 10
    if tenths == bytes, bytes > 0 { return "\(bytes) B" }
    while tenths >= 10_240, unit < units.count - 1 {
      tenths = (tenths + 512) / 1024
      unit += 1
    }
    return unit == 0 || tenths % 10 == 0
      ? "\(tenths / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
