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
  private let limit: Int
  private let input: ArchiveInput
  /// Bytes of the current entry's content that were not read yet, and the padding after them.
  private var remaining = 0
  private var padding = 0
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
    limit = limits.entries
    input = try ArchiveInput(label: label, limit: limits.totalBytes, hashing: hashing, source: source)
  }

  private func located(_ error: any Error) -> any Error {
    guard let error = error as? DroverError, !error.message.hasPrefix(label) else { return error }
    return DroverError(error.code, "\(label): \(error.message)", cause: error.cause)
  }

  /// The next entry; what was not read of the content of the one before is skipped. Nil at the end.
  ///
  /// - Throws: ``DroverError``: `corrupt`, `invalid`, or `too_large` when a limit is passed.
  public func next() throws -> ArchiveEntry? {
    do {
      try input.skip(remaining + padding)
      remaining = 0
      padding = 0
      input.entry = try ended ? nil : readEntry()
      return input.entry
    } catch {
      throw located(error)
    }
  }

  /// Bytes of the current entry's content; 0 at its end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let wanted = min(buffer.count, remaining)
    guard wanted > 0 else { return 0 }
    do {
      let count = try input.fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
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
        .tooLarge, "\(label): entry '\(input.entry?.path ?? "")' has \(remaining) bytes; at most \(count) are allowed")
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
      return try input.drain()
    } catch {
      throw located(error)
    }
  }

  private func readEntry() throws -> ArchiveEntry? {
    var extensions = TarExtensions()
    while true {
      let block = try input.take(TarHeader.blockSize, orEnd: true)
      if block.isEmpty || block.allSatisfy({ $0 == 0 }) {
        ended = true
        return nil
      }
      entries += 1
      guard entries <= limit else {
        throw DroverError(.tooLarge, "more than \(limit) entries")
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
      let content = try input.take(header.size)
      try input.skip(TarHeader.padding(after: header.size))
      try extensions.add(type: header.type, content)
    }
  }
}
