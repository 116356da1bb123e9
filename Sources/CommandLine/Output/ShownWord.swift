/// One of several words in a line for people: where it begins and ends is to be seen, and it is one line, as shells read it.
enum ShownWord {
  static func text(_ word: String) -> String {
    if !word.isEmpty, word.unicodeScalars.allSatisfy({ isPlain($0) }) { return word }
    if word.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }), !word.contains("'") {
      return "'\(word)'"
    }
    let escaped = word.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\n": "\\n"
      case "\t": "\\t"
      case "'", "\\": "\\\(scalar)"
      case _ where scalar.properties.generalCategory == .control:
        "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "$'\(escaped.joined())'"
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      || "-_./:=,@%+*".unicodeScalars.contains(scalar)
  }
}
