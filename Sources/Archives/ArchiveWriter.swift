public import Digests
import Formats
internal import Glibc

/// Writes a tar archive, gzip-compressed or plain. The same entries in the same order give the same bytes.
///
/// The file appears under a name of its own first and gets its right name in ``finish()``; an archive that was not
/// finished leaves nothing behind.
public final class ArchiveWriter {
  /// How the archive is compressed.
  public enum Compression: Sendable, Hashable {
    case none
    /// Level 1 (fast) to 9 (small).
    case gzip(level: Int)
  }

  private let path: String
  private let partial: String
  private let file: OpenFile
  private var gzip: GzipOutput?
  private let output: HashedOutput
  private var remaining = 0
  private var entry: ArchiveEntry?
  private var finished = false

  /// - Parameter hashing: Digests of the archive, to be had from ``finish()``.
  public init(
    file path: String, compression: Compression = .gzip(level: 6), hashing: Set<DigestAlgorithm> = []
  ) throws {
    self.path = path
    partial = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial"
    file = try OpenFile(partial, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
    output = HashedOutput(file, hashing)
    let output = output
    if case .gzip(let level) = compression { gzip = try GzipOutput(level: level, sink: output.write) }
  }

  deinit { if !finished { unlink(partial) } }

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
    let open = try OpenFile(source, O_RDONLY)
    try add(entry, contentOf: open)
  }

  func add(_ entry: ArchiveEntry, contentOf open: OpenFile) throws {
    var status = stat()
    guard fstat(open.descriptor, &status) == 0 else { throw OpenFile.error("read", open.path) }
    guard status.type == S_IFREG else { throw DroverError(.invalid, "\(open.path): is not a file") }
    var entry = entry
    entry.size = Int(status.st_size)
    try begin(entry)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try open.read(into: buffer)
      if count == 0 { break }
      try append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Ends the archive and gives the file its name.
  ///
  /// - Returns: The digests that were asked for.
  @discardableResult
  public func finish() throws -> MultiDigest {
    try end()
    try write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    try gzip?.finish()
    guard rename(partial, path) == 0 else { throw OpenFile.error("rename to its name", path) }
    finished = true
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
