public import Digests
internal import Files
import Formats
internal import Glibc

/// Writes a tar archive, gzip-compressed or plain. The same entries in the same order give the same bytes.
///
/// The file is in its place when it is whole, with ``finish()``; an archive that was not finished leaves nothing behind.
public final class ArchiveWriter {
  /// How the archive is compressed.
  public enum Compression: Sendable, Hashable {
    case none
    /// Level 1 (fast) to 9 (small).
    case gzip(level: Int)
  }

  private let path: String
  private let file: NewFile
  private var gzip: GzipOutput?
  private let output: HashedOutput
  private var remaining = 0
  private var entry: ArchiveEntry?

  /// - Parameter hashing: Digests of the archive, to be had from ``finish()``.
  public init(
    file path: String, compression: Compression = .gzip(level: 6), hashing: Set<DigestAlgorithm> = []
  ) throws {
    self.path = path
    file = try NewFile(path, mode: 0o644)
    output = HashedOutput(file.file, hashing)
    let output = output
    if case .gzip(let level) = compression { gzip = try GzipOutput(level: level, sink: output.write) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    if let gzip { try gzip.write(bytes) } else { try output.write(bytes) }
  }

  private func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(write) }

  /// Begins an entry; a file's content follows by ``append(_:)-([UInt8])``, exactly as many bytes as the entry says.
  public func begin(_ entry: ArchiveEntry) throws {
    try end()
    for block in TarEncoder.blocks(entry) { try write(block) }
    self.entry = entry
    remaining = entry.kind == .file ? entry.size : 0
  }

  /// Part of the content of the current entry.
  public func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(append) }

  /// Part of the content of the current entry.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count <= remaining else {
      throw DroverError(.failed, "\(path): entry '\(entry?.path ?? "")' got more content than the size it has said")
    }
    remaining -= bytes.count
    try write(bytes)
  }

  private func end() throws {
    guard let entry else { return }
    guard remaining == 0 else {
      throw DroverError(.failed, "\(path): entry '\(entry.path)' lacks \(remaining) bytes; did the file change?")
    }
    if entry.kind == .file { try write([UInt8](repeating: 0, count: TarHeader.padding(after: entry.size))) }
    self.entry = nil
  }

  /// An entry with all of its content; the size is set from it.
  public func add(_ entry: ArchiveEntry, content: [UInt8] = []) throws {
    var entry = entry
    entry.size = content.count
    try begin(entry)
    try append(content)
  }

  /// A file entry with the content of a file on disk; the size is set from it.
  public func add(_ entry: ArchiveEntry, contentOf source: String) throws {
    try add(entry, contentOf: OpenFile(reading: source))
  }

  func add(_ entry: ArchiveEntry, contentOf open: OpenFile) throws {
    let status = try open.status()
    guard status.type == S_IFREG else { throw DroverError(.invalid, "\(open.path): is not a file") }
    var entry = entry
    entry.size = Int(status.st_size)
    try begin(entry)
    try open.forEachPiece(append)
  }

  /// Ends the archive and puts the file in its place.
  ///
  /// - Returns: The digests that were asked for.
  @discardableResult
  public func finish() throws -> MultiDigest {
    try end()
    try write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    try gzip?.finish()
    try file.replace()
    return output.digest
  }
}

private final class HashedOutput {
  private let file: OpenFile
  private var hasher: DigestHasher

  init(_ file: OpenFile, _ algorithms: Set<DigestAlgorithm>) {
    self.file = file
    hasher = DigestHasher(algorithms)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    hasher.update(bytes)
    try file.write(bytes)
  }

  var digest: MultiDigest { hasher.finish() }
}
