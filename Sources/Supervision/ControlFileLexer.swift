import Formats

/// A word of a control file.
struct ControlFileToken: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// Unquoted, as it was written.
    case word
    /// In quotes, without them.
    case quoted
    /// A comparison.
    case sign
  }

  let kind: Kind
  let text: String
  let line: Int
  let column: Int

  /// For comparing with keywords, which may be written in any case.
  var keyword: String? { kind == .quoted ? nil : text.lowercased() }

  var description: String { kind == .quoted ? "\"\(text)\"" : "'\(text)'" }
}

/// Splits a control file into words: comments go, and so do the words that only make it read well.
enum ControlFileLexer {
  static let noise: Set<String> = [
    "is", "as", "are", "for", "on", "only", "with", "within", "program", "programs", "and", "has", "using", "use",
    "the",
    "sum", "than", "usage", "was", "times", "but", "of", "does",
  ]

  static func tokens(_ text: String, file: String) throws -> [ControlFileToken] {
    let bytes = Array(text.utf8)
    var tokens: [ControlFileToken] = []
    var line = 1
    var lineStart = 0
    var index = 0
    // Columns count from 1, in bytes.
    func token(_ kind: ControlFileToken.Kind, _ start: Int, _ bytes: ArraySlice<UInt8>) -> ControlFileToken {
      ControlFileToken(
        kind: kind, text: String(decoding: bytes, as: UTF8.self), line: line, column: start - lineStart + 1)
    }
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        index += 1
        lineStart = index
      case _ where isBlank(byte): index += 1
      case UInt8(ascii: "#"):
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        let start = index + 1
        index = start
        while index < bytes.count, bytes[index] != byte, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        guard index < bytes.count, bytes[index] == byte else {
          throw DroverError(
            .invalid, "\(file) line \(line), column \(start - lineStart): a quotation mark is not closed on its line")
        }
        tokens.append(token(.quoted, start - 1, bytes[start..<index]))
        index += 1
      case _ where isSign(byte):
        let start = index
        while index < bytes.count, isSign(bytes[index]) { index += 1 }
        // `start program = "…"` reads like an assignment; only tests compare.
        tokens.append(token(.sign, start, bytes[start..<index]))
      default:
        let start = index
        // A path may hold what would otherwise end a word.
        let isPath = byte == UInt8(ascii: "/")
        while index < bytes.count, !endsWord(bytes[index], isPath: isPath) { index += 1 }
        let word = token(.word, start, bytes[start..<index])
        if !noise.contains(word.text.lowercased()) { tokens.append(word) }
      }
    }
    return tokens
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || ",;()".utf8.contains(byte) }

  private static func isSign(_ byte: UInt8) -> Bool { "<>=!".utf8.contains(byte) }

  private static func endsWord(_ byte: UInt8, isPath: Bool) -> Bool {
    isBlank(byte) || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#") || (!isPath && isSign(byte))
  }
}
