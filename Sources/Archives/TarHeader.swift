internal import Formats

/// A 512-byte header block of a tar archive (POSIX ustar, with GNU's long names and base-256 numbers). Pure codec.
struct TarHeader: Equatable {
  static let blockSize = 512

  var path: String
  var mode = 0o644
  var userID = 0
  var groupID = 0
  var size = 0
  var modifiedAt = 0
  var type: UInt8
  var linkTarget = ""
  var deviceMajor = 0
  var deviceMinor = 0

  /// Bytes of padding after content of that size.
  static func padding(after size: Int) -> Int { (blockSize - size % blockSize) % blockSize }

  // MARK: Reading

  /// - Throws: ``DroverError`` with code `corrupt` when the checksum or a number is wrong.
  init(_ block: [UInt8]) throws {
    guard block.count == Self.blockSize else { throw DroverError(.corrupt, "the archive ends inside a header") }
    func field(_ range: Range<Int>) -> ArraySlice<UInt8> { block[range] }
    let expected = try Self.number(field(148..<156), "checksum")
    var unsigned = 0
    var signed = 0
    for (index, byte) in block.enumerated() {
      let counted = (148..<156).contains(index) ? 0x20 : byte
      unsigned += Int(counted)
      signed += Int(Int8(bitPattern: counted))
    }
    guard expected == unsigned || expected == signed else {
      throw DroverError(.corrupt, "a header's checksum is wrong: this is not a tar archive, or it is damaged")
    }
    type = block[156]
    var name = try Self.text(field(0..<100))
    if field(257..<263).elementsEqual("ustar\0".utf8) {
      let prefix = try Self.text(field(345..<500))
      if !prefix.isEmpty { name = prefix + "/" + name }
    }
    path = name
    mode = try Self.number(field(100..<108), "mode") & 0o7777
    userID = try Self.number(field(108..<116), "user id")
    groupID = try Self.number(field(116..<124), "group id")
    size = try Self.number(field(124..<136), "size")
    modifiedAt = try Self.number(field(136..<148), "time", mayBeNegative: true)
    linkTarget = try Self.text(field(157..<257))
    if type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
      deviceMajor = try Self.number(field(329..<337), "device number")
      deviceMinor = try Self.number(field(337..<345), "device number")
    }
  }

  static func text(_ field: some Collection<UInt8>) throws -> String {
    guard let text = String(validating: field.prefix { $0 != 0 }, as: UTF8.self) else {
      let shown = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
      throw DroverError(.invalid, "entry '\(shown)': the name is not valid UTF-8")
    }
    return text
  }

  /// Octal digits with blanks around them, or base 256 when the first bit is set.
  static func number(_ field: ArraySlice<UInt8>, _ what: String, mayBeNegative: Bool = false) throws -> Int {
    let wrong = DroverError(.corrupt, "a header's \(what) is not a number")
    guard let first = field.first else { throw wrong }
    if first & 0x80 != 0 {
      var value = first & 0x40 != 0 ? -1 : 0
      value = value << 6 | Int(first & 0x3F)
      for byte in field.dropFirst() {
        let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
        guard !overflow else { throw wrong }
        value = shifted | Int(byte)
      }
      guard value >= 0 || mayBeNegative else { throw wrong }
      return value
    }
    let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
    var value = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit), value < Int.max >> 3 else { throw wrong }
      value = value << 3 | Int(digit - UInt8(ascii: "0"))
    }
    return value
  }

  // MARK: Writing

  init(path: String, type: UInt8, mode: Int = 0o644, size: Int = 0) {
    self.path = path
    self.type = type
    self.mode = mode
    self.size = size
  }

  /// Whether ustar's fields can hold all of it; if not, pax records have to say the rest.
  static func fits(octal value: Int, width: Int) -> Bool { value >= 0 && value < 1 << (3 * (width - 1)) }

  /// Where the path has to be cut so that both pieces fit; nil when they do not. An offset of 0 is no cut.
  static func split(_ path: String) -> Int? {
    let bytes = Array(path.utf8)
    if bytes.count <= 100 { return 0 }
    let cuts = bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }
    return cuts.first { $0 > 0 && $0 <= 155 && bytes.count - $0 - 1 <= 100 && bytes.count - $0 - 1 > 0 }
  }

  /// The block. What does not fit is cut off; the writer puts pax records before it then.
  var block: [UInt8] {
    var block = [UInt8](repeating: 0, count: Self.blockSize)
    func put(_ bytes: some Sequence<UInt8>, at offset: Int, width: Int) {
      for (index, byte) in bytes.prefix(width).enumerated() { block[offset + index] = byte }
    }
    func put(octal value: Int, at offset: Int, width: Int) {
      let value = Self.fits(octal: value, width: width) ? value : 0
      let digits = String(value, radix: 8)
      put((String(repeating: "0", count: width - 1 - digits.utf8.count) + digits).utf8, at: offset, width: width)
    }
    let name = Array(path.utf8)
    if let cut = Self.split(path), cut > 0 {
      put(name[..<cut], at: 345, width: 155)
      put(name[(cut + 1)...], at: 0, width: 100)
    } else {
      put(name, at: 0, width: 100)
    }
    put(octal: mode & 0o7777, at: 100, width: 8)
    put(octal: userID, at: 108, width: 8)
    put(octal: groupID, at: 116, width: 8)
    put(octal: size, at: 124, width: 12)
    put(octal: modifiedAt, at: 136, width: 12)
    put("        ".utf8, at: 148, width: 8)
    block[156] = type
    put(linkTarget.utf8, at: 157, width: 100)
    put("ustar\u{0}00".utf8, at: 257, width: 8)
    put(octal: deviceMajor, at: 329, width: 8)
    put(octal: deviceMinor, at: 337, width: 8)
    let checksum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put((String(repeating: "0", count: 6 - checksum.utf8.count) + checksum + "\u{0} ").utf8, at: 148, width: 8)
    return block
  }
}
