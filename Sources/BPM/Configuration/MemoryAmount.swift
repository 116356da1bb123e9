import Formats

/// Amounts of memory as bpm.yml has them: a number, which may have a fraction, and a unit, always powers of 1024.
enum MemoryAmount {
  private static let units: [String: Double] = [
    "B": 1, "K": 0x1p10, "KB": 0x1p10, "KIB": 0x1p10, "M": 0x1p20, "MB": 0x1p20, "MIB": 0x1p20, "G": 0x1p30,
    "GB": 0x1p30, "GIB": 0x1p30, "T": 0x1p40, "TB": 0x1p40, "TIB": 0x1p40, "P": 0x1p50, "PB": 0x1p50, "PIB": 0x1p50,
    "E": 0x1p60, "EB": 0x1p60, "EIB": 0x1p60,
  ]

  /// The bytes; nil when it is no amount.
  static func bytes(_ text: String) -> Int? {
    let blank: (Character) -> Bool = { $0.isWhitespace }
    let trimmed = text.drop(while: blank).reversed().drop(while: blank).reversed()
    let upper = String(trimmed).uppercased()
    guard let letter = upper.firstIndex(where: \.isLetter), let unit = units[String(upper[letter...])],
      upper[..<letter].utf8.allSatisfy({ "+-.0123456789".utf8.contains($0) }), let number = Double(upper[..<letter]),
      number >= 0, number * unit < 0x1p63
    else { return nil }
    return Int(number * unit)
  }

  static let expectation =
    "byte quantity must be a positive integer with a unit of measurement like M, MB, MiB, G, GiB, or GB"
}
