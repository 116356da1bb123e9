public import Digests
internal import Files
import Formats

/// Reads a tar archive, gzip-compressed or plain, entry by entry, holding no more than a chunk in memory.
///
/// ```swift
/// let reader = try ArchiveReader(file: path)
/// while let entry = try reader.next() {
///   if entry.name == "release.MF" { manifest = try reader.readAll(atMost: 1 << 20) }
/// }
/// let digest = try reader.finish()
/// ```
/// Errors name the archive and, where there is one, the entry. Paths of entries are not checked here: ``EntryPath`` does.
public final class ArchiveReader {
  /// What the archive is called in errors.
  public let label: String
  private let limits: ArchiveLimits
  private let raw: HashedSource
  private let input: ByteSource
  private var current: ArchiveEntry?
  /// Bytes of the current entry's content that were not read yet, and the padding after them.
  private var remaining = 0
  private var padding = 0
  private var total = 0
  private var entries = 0
  private var ended = false

  /// - Parameters:
  ///   - file: Absolute path of the archive.
  ///   - hashing: Digests of the file itself, to be had from ``finish()``.
  /// - Throws: ``DroverError`` when the file cannot be opened, is empty, or is compressed in another way.
  public convenience init(
    file: String, limits: ArchiveLimits = ArchiveLimits(), hashing: Set<DigestAlgorithm> = []
  ) throws {
    let open = try OpenFile(reading: file)
    try self.init(label: file, limits: limits, hashing: hashing) { try open.read(into: $0) }
  }

  /// Reads an archive that is in memory.
  public convenience init(
    bytes: [UInt8], label: String = "archive", limits: ArchiveLimits = ArchiveLimits(),
    hashing: Set<DigestAlgorithm> = []
  ) throws {
    var rest = bytes[...]
    try self.init(label: label, limits: limits, hashing: hashing) { buffer in
      let part = rest.prefix(buffer.count)
      rest = rest.dropFirst(part.count)
      buffer.copyBytes(from: part)
      return part.count
    }
  }

  /// Reads an archive from anywhere, also from the content of another archive's entry (``read(into:)``).
  public init(
    label: String, limits: ArchiveLimits = ArchiveLimits(), hashing: Set<DigestAlgorithm> = [],
    source: @escaping ByteSource
  ) throws {
    self.label = label
    self.limits = limits
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

  private func located(_ error: any Error) -> any Error {
    guard let error = error as? DroverError, !error.message.hasPrefix(label) else { return error }
    return DroverError(error.code, "\(label): \(error.message)", cause: error.cause)
  }

  /// The next entry; what was not read of the content of the one before is skipped. Nil at the end.
  ///
  /// - Throws: ``DroverError``: `corrupt`, `invalid`, or `too_large` when a limit is passed.
  public func next() throws -> ArchiveEntry? {
    do {
      try skip(remaining + padding)
      remaining = 0
      padding = 0
      current = try ended ? nil : readEntry()
      return current
    } catch {
      throw located(error)
    }
  }

  /// Bytes of the current entry's content; 0 at its end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let wanted = min(buffer.count, remaining)
    guard wanted > 0 else { return 0 }
    do {
      let count = try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), orEnd: false)
      remaining -= count
      return count
    } catch {
      throw located(error)
    }
  }

  /// A chunk of the current entry's content; nil at its end.
  public func readChunk(atMost count: Int = 1 << 16) throws -> [UInt8]? {
    let chunk = try [UInt8](unsafeUninitializedCapacity: max(min(count, remaining), 0)) { buffer, filled in
      filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    return chunk.isEmpty ? nil : chunk
  }

  /// All of the current entry's content.
  ///
  /// - Throws: ``DroverError`` with code `too_large` when it is more than `count` bytes.
  public func readAll(atMost count: Int) throws -> [UInt8] {
    guard remaining <= count else {
      throw DroverError(
        .tooLarge, "\(label): entry '\(current?.path ?? "")' has \(remaining) bytes; at most \(count) are allowed")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(remaining)
    while let chunk = try readChunk() { bytes += chunk }
    return bytes
  }

  /// Reads to the end of the file, which checks gzip's checksum, too.
  ///
  /// - Returns: The digests that were asked for.
  @discardableResult
  public func finish() throws -> MultiDigest {
    do {
      while try next() != nil {}
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
      defer { buffer.deallocate() }
      while true {
        let count = try input(buffer)
        if count == 0 { break }
        try account(count)
      }
      while try raw.read(into: buffer) > 0 {}
      return raw.digest
    } catch {
      throw located(error)
    }
  }

  // MARK: Blocks

  private func account(_ bytes: Int) throws {
    total += bytes
    guard total <= limits.totalBytes else {
      let entry = current.map { "entry '\($0.path)': " } ?? ""
      throw DroverError(.tooLarge, "\(entry)the archive unpacks to more than \(limits.totalBytes) bytes")
    }
  }

  /// Fills all of the buffer.
  private func fill(_ buffer: UnsafeMutableRawBufferPointer, orEnd: Bool) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = try input(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      if count == 0 {
        if orEnd, filled == 0 { return 0 }
        throw DroverError(.corrupt, "\(current.map { "entry '\($0.path)': " } ?? "")the archive ends too early")
      }
      filled += count
    }
    try account(filled)
    return filled
  }

  private func take(_ count: Int, orEnd: Bool = false) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = try fill(
        UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])), orEnd: orEnd)
    }
  }

  private func skip(_ count: Int) throws {
    var rest = count
    guard rest > 0 else { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while rest > 0 {
      rest -= try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(rest, buffer.count)]), orEnd: false)
    }
  }

  private func readEntry() throws -> ArchiveEntry? {
    var extensions = TarExtensions()
    while true {
      let block = try take(TarHeader.blockSize, orEnd: true)
      if block.isEmpty || block.allSatisfy({ $0 == 0 }) {
        ended = true
        return nil
      }
      entries += 1
      guard entries <= limits.entries else {
        throw DroverError(.tooLarge, "more than \(limits.entries) entries")
      }
      let header = try TarHeader(block)
      guard let limit = TarExtensions.limit(of: header.type) else {
        let entry = try extensions.entry(header)
        remaining = entry.size
        padding = TarHeader.padding(after: entry.size)
        return entry
      }
      guard header.size <= limit else {
        throw DroverError(.tooLarge, "an extended header of \(header.size) bytes; at most \(limit) are read")
      }
      let content = try take(header.size)
      try skip(TarHeader.padding(after: header.size))
      try extensions.add(type: header.type, content)
    }
  }
}

/// A source that hashes what passes through it.
private final class HashedSource {
  private let source: ByteSource
  private var hasher: DigestHasher

  init(_ source: @escaping ByteSource, _ algorithms: Set<DigestAlgorithm>) {
    self.source = source
    hasher = DigestHasher(algorithms)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try source(buffer)
    hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    return count
  }

  /// The first bytes, fewer than `count` only when there are no more.
  func start(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let all = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      while filled < count {
        let read = try read(into: UnsafeMutableRawBufferPointer(rebasing: all[filled...]))
        if read == 0 { return }
        filled += read
      }
    }
  }

  var digest: MultiDigest { hasher.finish() }
}
