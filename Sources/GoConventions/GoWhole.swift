/// Whole numbers as Go reads those whose base is not given.
enum GoWhole: Equatable {
  case number(Int)
  case outOfRange
  case nothing

  /// With a sign, in the base that the beginning names: `0x`, `0o` or `0`, `0b`, else ten. `_` may stand between digits,
  /// and after the beginning, unless the base is that of `0` alone.
  init(_ text: String) {
    self = .nothing
    var digits = text[...]
    let sign = digits.first == "-" ? "-" : ""
    if digits.first == "-" || digits.first == "+" { digits.removeFirst() }
    var radix = 10
    var mayUnderscore = false
    for (prefix, base) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)]
    where digits.hasPrefix(prefix) {
      digits.removeFirst(2)
      radix = base
      mayUnderscore = true
      break
    }
    if radix == 10, digits.count > 1, digits.first == "0" {
      digits.removeFirst()
      radix = 8
      mayUnderscore = true
    }
    var plain = ""
    for character in digits {
      if character == "_" {
        guard mayUnderscore else { return }
        mayUnderscore = false
      } else {
        guard let digit = character.hexDigitValue, character.isASCII, digit < radix else { return }
        plain.append(character)
        mayUnderscore = true
      }
    }
    guard !plain.isEmpty, digits.last != "_" else { return }
    self = Int(sign + plain, radix: radix).map(GoWhole.number) ?? .outOfRange
  }

  var number: Int? { if case .number(let number) = self { number } else { nil } }
}
