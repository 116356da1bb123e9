import Formats

/// Random values for round trips, and random damage.
enum SampleValues {
  static func value(depth: Int, using random: inout some RandomNumberGenerator) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
    case 0: .null
    case 1: .bool(.random(using: &random))
    case 2: .int(.random(in: .min ... .max, using: &random))
    case 3: .int(.random(in: -10...10, using: &random))
    case 4: .double(Double.random(in: -1e6...1e6, using: &random))
    case 5: .string(text(using: &random))
    case 6:
      .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
    default:
      .object(
        ValueObject(
          (0..<Int.random(in: 0..<5, using: &random)).map { _ in
            (text(using: &random), value(depth: depth - 1, using: &random))
          }))
    }
  }

  static func text(using random: inout some RandomNumberGenerator) -> String {
    let pieces = [
      "a", "b", "Z", "0", "9", " ", "\n", "\t", ":", "-", "#", "'", "\"", "\\", "{", "}", "[", "]", ",", "&", "*", "!",
      "|", ">", "%", "@", "é", "😀", "\u{0}", "\u{7F}", "yes", "null", "1.5", "/", "_", ".",
    ]
    return (0..<Int.random(in: 0..<8, using: &random)).map { _ in
      pieces[Int.random(in: 0..<pieces.count, using: &random)]
    }.joined()
  }

  /// Changes, removes, repeats and cuts a few bytes.
  static func damage(_ bytes: inout [UInt8], using random: inout some RandomNumberGenerator) {
    for _ in 0..<Int.random(in: 1..<6, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[place] = .random(in: .min ... .max, using: &random)
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(.random(in: .min ... .max, using: &random), at: place)
      case 3: bytes.insert(contentsOf: bytes[place...].prefix(16), at: place)
      default: bytes.removeLast(Int.random(in: 0...min(bytes.count, 20), using: &random))
      }
    }
  }
}
