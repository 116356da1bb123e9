/// A template's text, taken apart into what stays and its ERB tags.
struct ERBText: Sendable {
  struct Tag: Sendable, Hashable {
    enum Kind: Sendable, Hashable { case output, code, comment }
    let kind: Kind
    let code: String
    let line: Int
  }

  private enum Piece: Sendable {
    case text(String)
    case tag(Tag)
  }

  private let pieces: [Piece]
  let tags: [Tag]

  init(_ text: String) {
    var pieces: [Piece] = []
    var rest = text[...]
    var line = 1
    func newlines(_ part: Substring) -> Int { part.utf8.count { $0 == 0x0A } }
    while let open = rest.firstRange(of: "<%") {
      let before = rest[..<open.lowerBound]
      pieces.append(.text(String(before)))
      line += newlines(before)
      let body = rest[open.upperBound...]
      if body.first == "%" {
        pieces.append(.text("<%"))
        rest = body.dropFirst()
        continue
      }
      guard let close = body.firstRange(of: "%>") else {
        rest = rest[open.lowerBound...]
        break
      }
      var code = body[..<close.lowerBound]
      let kind: Tag.Kind
      switch code.first {
      case "=":
        kind = .output
        code = code.dropFirst()
      case "#":
        kind = .comment
        code = code.dropFirst()
      default: kind = .code
      }
      if code.first == "-" { code = code.dropFirst() }
      if code.last == "-" { code = code.dropLast() }
      pieces.append(.tag(Tag(kind: kind, code: String(code), line: line)))
      line += newlines(body[..<close.lowerBound])
      rest = body[close.upperBound...]
    }
    pieces.append(.text(String(rest)))
    self.pieces = pieces
    tags = pieces.compactMap { if case .tag(let tag) = $0, tag.kind != .comment { tag } else { nil } }
  }

  var isPlain: Bool { tags.isEmpty }
  /// Whether there is more than values put in: conditions, loops, assignments.
  var hasCode: Bool { tags.contains { $0.kind == .code } }

  /// The text with every value replaced by one word and all other tags gone; lines stay where they are.
  func masked(value: String = "ERB") -> String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .tag(let tag):
        (tag.kind == .output ? value : "") + String(repeating: "\n", count: tag.code.utf8.count { $0 == 0x0A })
      }
    }.joined()
  }
}
