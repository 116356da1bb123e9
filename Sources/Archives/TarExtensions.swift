internal import Formats

/// What the header blocks before an entry's own say about it: GNU's long names and pax records. Pure.
struct TarExtensions {
  private var path: String?
  private var linkTarget: String?
  private var size: Int?
  private var modifiedAt: Int?
  private var userID: Int?
  private var groupID: Int?

  /// How long the content of such a header may be; nil when the type is an entry's own.
  static func limit(of type: UInt8) -> Int? {
    switch type {
    case UInt8(ascii: "x"), UInt8(ascii: "g"): 1 << 20
    case UInt8(ascii: "L"), UInt8(ascii: "K"): 1 << 16
    default: nil
    }
  }

  mutating func add(type: UInt8, _ content: [UInt8]) throws {
    switch type {
    case UInt8(ascii: "L"): path = try TarHeader.text(content)
    case UInt8(ascii: "K"): linkTarget = try TarHeader.text(content)
    case UInt8(ascii: "x"): for (key, value) in try PaxRecords.parse(content) { try set(key, value) }
    // A global header holds comments (git archive); nothing that may be global matters here.
    default: _ = try PaxRecords.parse(content)
    }
  }

  private mutating func set(_ key: String, _ value: [UInt8]) throws {
    func number() throws -> Int {
      let text = String(decoding: value.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
      guard let number = Int(text) else { throw DroverError(.corrupt, "extended header: \(key) is not a number") }
      return number
    }
    func text() throws -> String {
      guard !value.contains(0) else { throw DroverError(.invalid, "extended header: \(key) holds a zero byte") }
      return try TarHeader.text(value)
    }
    switch key {
    case "path": path = try text()
    case "linkpath": linkTarget = try text()
    case "size":
      size = try number()
      if let size, size < 0 { throw DroverError(.corrupt, "extended header: size is negative") }
    case "mtime": modifiedAt = try number()
    case "uid": userID = try number()
    case "gid": groupID = try number()
    default:
      if key.hasPrefix("GNU.sparse") { throw Self.sparse }
    }
  }

  private static let sparse = DroverError(.unsupported, "sparse files are not supported; pack without tar's --sparse")

  func entry(_ header: TarHeader) throws -> ArchiveEntry {
    let path = path ?? header.path
    let target = linkTarget ?? header.linkTarget
    let kind: ArchiveEntry.Kind
    switch header.type {
    case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): kind = path.hasSuffix("/") ? .directory : .file
    case UInt8(ascii: "1"): kind = .hardLink(target)
    case UInt8(ascii: "2"): kind = .symbolicLink(target)
    case UInt8(ascii: "3"): kind = .characterDevice(major: header.deviceMajor, minor: header.deviceMinor)
    case UInt8(ascii: "4"): kind = .blockDevice(major: header.deviceMajor, minor: header.deviceMinor)
    case UInt8(ascii: "5"): kind = .directory
    case UInt8(ascii: "6"): kind = .fifo
    case UInt8(ascii: "S"): throw Self.sparse
    default:
      let type = String(decoding: [header.type], as: UTF8.self)
      throw DroverError(.unsupported, "entry '\(path)': unknown type '\(type)'")
    }
    let size = size ?? header.size
    // Only files have content; what other headers say about their size does not count.
    return ArchiveEntry(
      path: path, kind: kind, size: kind == .file ? size : 0, mode: header.mode, userID: userID ?? header.userID,
      groupID: groupID ?? header.groupID, modifiedAt: modifiedAt ?? header.modifiedAt)
  }
}
