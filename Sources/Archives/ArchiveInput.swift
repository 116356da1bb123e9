import Digests
internal import Formats

/// The bytes of a tar archive: decompressed, counted against the limit, and hashed as they were before.
final class ArchiveInput {
  private let raw: HashedSource
  private let input: ByteSource
  private let limit: Int
  private var total = 0
  /// What errors name: the entry whose content is being read.
  var entry: ArchiveEntry?

  /// Tells by the first bytes how the archive is compressed.
  ///
  /// - Parameters:
  ///   - label: what the archive is called in errors.
  ///   - limit: bytes after decompression.
  init(label: String, limit: Int, hashing: Set<DigestAlgorithm>, source: @escaping ByteSource) throws {
    self.limit = limit
    raw = HashedSource(source, hashing)
    let start = try raw.start(6)
    func fail(_ why: String) -> DroverError { DroverError(.invalid, "\(label): \(why)") }
    guard !start.isEmpty else { throw fail("is empty; expected a tar archive") }
    for (magic, name) in Self.otherCompressions where start.starts(with: magic) {
      throw fail("is compressed with \(name); expected gzip or a plain tar archive")
    }
    if start.starts(with: [0x1F, 0x8B]) {
      let gzip = try GzipInput(start: start, source: raw.read)
      input = gzip.read
    } else {
      var start = start[...]
      let raw = raw
      input = { buffer in
        guard !start.isEmpty else { return try raw.read(into: buffer) }
        let part = start.prefix(buffer.count)
        start = start.dropFirst(part.count)
        buffer.copyBytes(from: part)
        return part.count
      }
    }
  }

  private static let otherCompressions: [([UInt8], String)] = [
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"), (Array("BZh".utf8), "bzip2"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
    (Array("PK\u{3}\u{4}".utf8), "zip"),
  ]

  private var place: String { entry.map { "entry '\($0.path)': " } ?? "" }

  private func account(_ bytes: Int) throws {
    total += bytes
    guard total <= limit else {
      throw DroverError(.tooLarge, "\(place)the archive unpacks to more than \(limit) bytes")
    }
  }

  /// Fills all of the buffer.
  ///
  /// - Parameter orEnd: whether the archive may end before, but not in the middle; then it is 0 bytes.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, orEnd: Bool = false) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = try input(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      if count == 0 {
        if orEnd, filled == 0 { return 0 }
        throw DroverError(.corrupt, "\(place)the archive ends too early")
      }
      filled += count
    }
    try account(filled)
    return filled
  }

  func take(_ count: Int, orEnd: Bool = false) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = try fill(
        UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])), orEnd: orEnd)
    }
  }

  func skip(_ count: Int) throws {
    var rest = count
    guard rest > 0 else { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while rest > 0 { rest -= try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(rest, buffer.count)])) }
  }

  /// Reads to the end of the file, which checks gzip's checksum, too.
  ///
  /// - Returns: the digests that were asked for.
  func drain() throws -> MultiDigest {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try input(buffer)
      if count == 0 { break }
      try account(count)
    }
    while try raw.read(into: buffer) > 0 {}
    return raw.digest
  }
}
