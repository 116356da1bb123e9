import Documents

/// The lines of a journal, read in pieces. A line that is not whole yet is left out.
struct JournalLines: Sendable {
  let journals: any Journals
  let name: String
  /// How many bytes are read at once.
  var piece = 1 << 20

  private static let lineFeed = UInt8(ascii: "\n")

  /// Goes through the lines from a byte on at which one begins.
  func forEach(from start: Int64 = 0, _ body: ([UInt8]) throws -> Void) async throws {
    var offset = start
    var rest: [UInt8] = []
    while true {
      let bytes = try await journals.read(name, from: offset, limit: piece)
      guard !bytes.isEmpty else { return }
      offset += Int64(bytes.count)
      var begin = 0
      while let end = bytes[begin...].firstIndex(of: Self.lineFeed) {
        try body(rest + bytes[begin..<end])
        rest = []
        begin = end + 1
      }
      rest += bytes[begin...]
    }
  }

  /// The last line that begins so, and the byte at which it does; looked for from the end on.
  func last(beginning text: String) async throws -> (start: Int64, bytes: [UInt8])? {
    let mark = [Self.lineFeed] + Array(text.utf8)
    var end = try await journals.size(name) ?? 0
    while end > 0 {
      let start = max(0, end - Int64(piece))
      // The mark may begin before `end`, and reach beyond it.
      let bytes = try await journals.read(name, from: start, limit: Int(end - start) + mark.count - 1)
      for place in Self.places(of: mark, in: bytes) {
        let begin = start + Int64(place) + 1
        if let line = try await line(at: begin) { return (begin, line) }
      }
      end = start
    }
    return nil
  }

  /// Where the mark stands, the last place first.
  private static func places(of mark: [UInt8], in bytes: [UInt8]) -> [Int] {
    var places: [Int] = []
    var rest = bytes[...]
    while let place = rest.lastIndex(of: lineFeed) {
      if bytes[place...].starts(with: mark) { places.append(place) }
      rest = rest[..<place]
    }
    return places
  }

  /// The line that begins at that byte; nil when it has no end.
  private func line(at start: Int64) async throws -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      let bytes = try await journals.read(name, from: start + Int64(line.count), limit: piece)
      guard !bytes.isEmpty else { return nil }
      if let end = bytes.firstIndex(of: Self.lineFeed) { return line + bytes[..<end] }
      line += bytes
    }
  }

  /// Whether a line begins at that byte.
  func begins(at offset: Int64) async throws -> Bool {
    if offset == 0 { return true }
    return try await journals.read(name, from: offset - 1, limit: 1) == [Self.lineFeed]
  }
}
