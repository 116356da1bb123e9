import Formats
import Glibc

/// A regular expression as monit has them: POSIX, extended.
struct RegularExpression: Sendable, Hashable {
  let text: String

  /// - Throws: ``DroverError`` with code `invalid` and what is wrong with it.
  init(_ text: String) throws {
    self.text = text
    try compiled { _ in }
  }

  /// The first of some whose text matches.
  func first<Element>(of elements: some Sequence<Element>, text: (Element) -> String) -> Element? {
    try? compiled { compiled in elements.first { regexec(&compiled, text($0), 0, nil, 0) == 0 } }
  }

  /// Where the first match in the bytes ends; nil when there is none.
  func end(in bytes: [UInt8]) -> Int? {
    // The C library takes a zero for the end of the text.
    let text = bytes.map { CChar(bitPattern: $0 == 0 ? 1 : $0) } + [0]
    return try? compiled { compiled in
      var match = regmatch_t()
      return regexec(&compiled, text, 1, &match, 0) == 0 ? Int(match.rm_eo) : nil
    }
  }

  private func compiled<Result>(_ body: (inout regex_t) throws -> Result) throws -> Result {
    var compiled = regex_t()
    let code = regcomp(&compiled, text, REG_EXTENDED)
    guard code == 0 else {
      var reason = [CChar](repeating: 0, count: 200)
      regerror(code, &compiled, &reason, reason.count)
      let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw DroverError(.invalid, String(decoding: bytes, as: UTF8.self))
    }
    defer { regfree(&compiled) }
    return try body(&compiled)
  }
}
