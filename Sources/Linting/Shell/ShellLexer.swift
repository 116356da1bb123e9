/// A word or sign of a shell script.
struct ShellToken: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// With quotes taken off; variables stay as they are written.
    case word
    /// `>`, `2>>`, `<`, `>&`, …
    case redirect
    /// What ends a command: a line's end, `;`, `;;`, `&`, `&&`, `|`, `||`, `(`, `)`.
    case sign
  }

  var kind: Kind
  var text: String
  var line: Int
  /// What is inside `$(…)`, backquotes, `<(…)` and `>(…)` of a word, each with its line.
  var inner: [Inner] = []

  struct Inner: Sendable, Hashable {
    var text: String
    var line: Int
  }
}

/// Splits a shell script into words and signs, as far as finding its commands needs it: quotes, comments, continued lines,
/// here-documents and substitutions. Never fails: what is not closed ends with the text.
struct ShellLexer {
  private let bytes: [UInt8]
  private var index = 0
  private var line: Int
  private var inTest = false
  private var hereDocuments: [(end: String, stripsTabs: Bool)] = []
  private var tokens: [ShellToken] = []

  static func tokens(_ text: String, line: Int = 1) -> [ShellToken] {
    var lexer = ShellLexer(bytes: Array(text.utf8), line: line)
    return lexer.run()
  }

  private init(bytes: [UInt8], line: Int) {
    self.bytes = bytes
    self.line = line
  }

  private func peek(_ offset: Int = 0) -> UInt8 { index + offset < bytes.count ? bytes[index + offset] : 0 }
  private func byte(_ character: Unicode.Scalar) -> UInt8 { UInt8(ascii: character) }

  private mutating func run() -> [ShellToken] {
    while index < bytes.count {
      switch peek() {
      case byte("\n"):
        tokens.append(ShellToken(kind: .sign, text: "\n", line: line))
        line += 1
        index += 1
        skipHereDocuments()
      case byte(" "), byte("\t"), byte("\r"): index += 1
      case byte("\\") where peek(1) == byte("\n"):
        line += 1
        index += 2
      case byte("#"):
        while index < bytes.count, peek() != byte("\n") { index += 1 }
      case _ where inTest: word()
      case byte("<"), byte(">"):
        if peek(1) == byte("(") { word() } else { redirect(descriptor: "") }
      case byte("&") where peek(1) == byte(">"): redirect(descriptor: "")
      case byte("(") where peek(1) == byte("("): arithmetic()
      case byte(";"), byte("&"), byte("|"), byte("("), byte(")"): sign()
      default: word()
      }
    }
    tokens.append(ShellToken(kind: .sign, text: "\n", line: line))
    return tokens
  }

  private mutating func sign() {
    let first = peek()
    var text = String(UnicodeScalar(first))
    index += 1
    if first != byte("("), first != byte(")"), peek() == first || (first == byte("|") && peek() == byte("&")) {
      text += String(UnicodeScalar(peek()))
      index += 1
    }
    tokens.append(ShellToken(kind: .sign, text: text, line: line))
  }

  private mutating func redirect(descriptor: String) {
    let start = index
    while "<>&|-".utf8.contains(peek()), index - start < 3 {
      if peek() == byte("-"), String(decoding: bytes[start..<index], as: UTF8.self) != "<<" { break }
      index += 1
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if text == "<<" || text == "<<-" {
      while peek() == byte(" ") { index += 1 }
      let before = tokens.count
      word()
      if tokens.count > before {
        hereDocuments.append((tokens.removeLast().text, text == "<<-"))
      }
      return
    }
    tokens.append(ShellToken(kind: .redirect, text: descriptor + text, line: line))
  }

  private mutating func skipHereDocuments() {
    for document in hereDocuments {
      while index < bytes.count {
        let start = index
        while index < bytes.count, peek() != byte("\n") { index += 1 }
        var text = Substring(String(decoding: bytes[start..<index], as: UTF8.self))
        index += 1
        line += 1
        if document.stripsTabs { text = text.drop { $0 == "\t" } }
        if text == document.end { break }
      }
    }
    hereDocuments = []
  }

  private mutating func arithmetic() {
    let (start, first) = (index, line)
    while index < bytes.count, !(peek() == byte(")") && peek(1) == byte(")")) {
      if peek() == byte("\n") { line += 1 }
      index += 1
    }
    index = min(index + 2, bytes.count)
    tokens.append(ShellToken(kind: .word, text: String(decoding: bytes[start..<index], as: UTF8.self), line: first))
  }

  private mutating func word() {
    var token = ShellToken(kind: .word, text: "", line: line)
    var text: [UInt8] = []
    let start = index
    scan: while index < bytes.count {
      let current = peek()
      switch current {
      case byte(" "), byte("\t"), byte("\n"), byte("\r"): break scan
      case byte("<"), byte(">"):
        if peek(1) == byte("("), !inTest {
          index += 2
          token.inner.append(substitution(closedBy: ")"))
          text += Array("<()".utf8)
          continue scan
        }
        if inTest, index == start {
          text.append(current)
          index += 1
          continue scan
        }
        if !text.isEmpty, text.allSatisfy({ (48...57).contains($0) }), index - start == text.count {
          return redirect(descriptor: String(decoding: text, as: UTF8.self))
        }
        break scan
      case byte(";"), byte("&"), byte("|"), byte("("), byte(")"):
        if !inTest || text == [0x5D, 0x5D] { break scan }
        text.append(current)
        index += 1
      case byte("'"):
        index += 1
        while index < bytes.count, peek() != byte("'") { take(into: &text) }
        index += 1
      case byte("\""):
        index += 1
        doubleQuoted(&text, &token)
      default: unquoted(&text, &token)
      }
    }
    if index == start { index += 1 }
    token.text = String(decoding: text, as: UTF8.self)
    if token.text == "[[" { inTest = true } else if token.text == "]]" { inTest = false }
    tokens.append(token)
  }

  private mutating func take(into text: inout [UInt8]) {
    if peek() == byte("\n") { line += 1 }
    text.append(peek())
    index += 1
  }

  private mutating func doubleQuoted(_ text: inout [UInt8], _ token: inout ShellToken) {
    while index < bytes.count, peek() != byte("\"") { unquoted(&text, &token) }
    index += 1
  }

  /// One character, escape, or substitution.
  private mutating func unquoted(_ text: inout [UInt8], _ token: inout ShellToken) {
    switch (peek(), peek(1)) {
    case (byte("\\"), byte("\n")):
      line += 1
      index += 2
    case (byte("\\"), _):
      index += 1
      if index < bytes.count { take(into: &text) }
    case (byte("$"), byte("(")):
      index += 2
      let inner = substitution(closedBy: ")")
      token.inner.append(inner)
      text += Array("$(\(inner.text))".utf8)
    case (byte("`"), _):
      index += 1
      let inner = substitution(closedBy: "`")
      token.inner.append(inner)
      text += Array("$(\(inner.text))".utf8)
    case (byte("$"), byte("{")):
      while index < bytes.count, peek() != byte("}") { take(into: &text) }
      if index < bytes.count { take(into: &text) }
    default: take(into: &text)
    }
  }

  /// The text up to the closing sign, which is taken, too.
  private mutating func substitution(closedBy close: Unicode.Scalar) -> ShellToken.Inner {
    let (start, first) = (index, line)
    var depth = 0
    var quote: UInt8 = 0
    while index < bytes.count {
      let current = peek()
      if current == byte("\n") { line += 1 }
      if current == byte("\\") {
        index += 2
        continue
      }
      if quote != 0 {
        if current == quote { quote = 0 }
      } else if current == byte(close), depth == 0 {
        break
      } else if current == byte("'") || current == byte("\"") {
        quote = current
      } else if current == byte("(") {
        depth += 1
      } else if current == byte(")") {
        depth -= 1
      }
      index += 1
    }
    let end = min(index, bytes.count)
    index = min(index + 1, bytes.count)
    return ShellToken.Inner(text: String(decoding: bytes[min(start, end)..<end], as: UTF8.self), line: first)
  }
}
