import Formats

extension ZoneRules {
  /// Reads a file of the system's time zones (TZif, RFC 8536), of any version.
  ///
  /// - Throws: ``DroverError`` with code `corrupt`.
  public init(file bytes: [UInt8], name: String) throws {
    do {
      var reader = ZoneFileReader(bytes: bytes)
      var header = try reader.header()
      var width = 4
      if header.version >= UInt8(ascii: "2") {
        // The same again, with longer numbers and a rule behind it.
        try reader.skip(header.size(width: 4))
        header = try reader.header()
        width = 8
      }
      let times = try (0..<header.times).map { _ in try reader.number(width) }
      let kinds = try (0..<header.times).map { _ in try reader.number(1) & 0xFF }
      let offsets = try (0..<header.kinds).map { _ in
        let offset = try reader.number(4)
        try reader.skip(2)
        return offset
      }
      guard let first = offsets.first, kinds.allSatisfy({ $0 < offsets.count }),
        times == times.sorted(),
        offsets.allSatisfy({ abs($0) < 200_000 })
      else { throw DroverError(.corrupt, "its parts do not fit together") }
      try reader.skip(
        header.characters + header.leaps * (width + 4) + header.standards + header.universals)
      let rule = width == 8 ? reader.line() : ""
      initial = first
      changes = zip(times, kinds).map { Change(time: $0, offset: offsets[$1]) }
      self.rule = rule.isEmpty ? nil : ZoneRule(rule[...])
      if !rule.isEmpty, self.rule == nil {
        throw DroverError(.corrupt, "its rule '\(rule)' cannot be read")
      }
    } catch let error as DroverError {
      throw DroverError(.corrupt, "time zone '\(name)': \(error.message)")
    }
  }
}

/// Goes through the bytes of a file of time zones.
private struct ZoneFileReader {
  struct Header {
    var version: UInt8
    var universals: Int
    var standards: Int
    var leaps: Int
    var times: Int
    var kinds: Int
    var characters: Int

    func size(width: Int) -> Int {
      times * (width + 1) + kinds * 6 + characters + leaps * (width + 4) + standards + universals
    }
  }

  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func header() throws -> Header {
    guard try take(4).elementsEqual("TZif".utf8) else {
      throw DroverError(.corrupt, "this is no file of a time zone")
    }
    let version = try take(1).first ?? 0
    try skip(15)
    let counts = try (0..<6).map { _ in try number(4) }
    guard counts.allSatisfy({ 0...100_000 ~= $0 }) else {
      throw DroverError(.corrupt, "its counts are too large")
    }
    return Header(
      version: version, universals: counts[0], standards: counts[1], leaps: counts[2],
      times: counts[3],
      kinds: counts[4], characters: counts[5])
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard bytes.count - position >= count else {
      throw DroverError(.corrupt, "it is cut off after \(bytes.count) bytes")
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func skip(_ count: Int) throws { _ = try take(count) }

  /// A number of so many bytes, the highest first, with a sign.
  mutating func number(_ width: Int) throws -> Int {
    let bytes = try take(width)
    let sign: Int64 = (bytes.first ?? 0) & 0x80 != 0 && width > 1 ? -1 : 0
    return Int(bytes.reduce(sign) { $0 << 8 | Int64($1) })
  }

  /// What stands between the next two line feeds.
  func line() -> String {
    let rest = bytes[position...]
    guard rest.first == 0x0A else { return "" }
    return String(decoding: rest.dropFirst().prefix { $0 != 0x0A }, as: UTF8.self)
  }
}
