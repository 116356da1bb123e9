import Files
import Formats
import Glibc
public import Surroundings

/// Blobs as files: `FOLDER/<first two hex digits of sha1(id)>/<id>`, as a DAV blobstore lays them out
/// (`reference/director.md F.3`).
///
/// A blob is written in `FOLDER/.incoming`, synced, and put in its place (``Files/NewFile``); what a kill may leave there
/// is removed when the store is opened. One process owns the folder.
public struct FileBlobStore: BlobStore {
  public let folder: String
  private let surroundings: Surroundings

  /// Opens the folder, and makes it when it is not there.
  public init(folder: String, surroundings: Surroundings) throws {
    self.folder = folder
    self.surroundings = surroundings
    try Files.makeFolder(folder, mode: 0o700)
    try Files.makeFolder(incoming, mode: 0o700)
    for name in try Files.names(in: incoming) { unlink("\(incoming)/\(name)") }
  }

  private var incoming: String { "\(folder)/.incoming" }

  private func path(_ id: String) throws -> String {
    try BlobID.check(id)
    return "\(folder)/\(BlobID.folder(id))/\(id)"
  }

  public func put<Chunks: AsyncSequence & Sendable>(_ chunks: Chunks, id: String?, limit: Int64?) async throws
    -> StoredBlob where Chunks.Element == [UInt8]
  {
    let id = id ?? surroundings.identifier()
    let path = try path(id)
    let folder = folder
    try await blocking {
      let place = "\(folder)/\(BlobID.folder(id))"
      guard try !Files.isFolder(place) else { return }
      try Files.makeFolder(place, mode: 0o700)
      try Files.syncFolder(of: place)
    }
    do {
      let written = try await FileSink.write(
        chunks, to: path, workplace: incoming, mode: 0o600, limit: limit)
      return StoredBlob(id: id, size: written.size, digest: written.digest)
    } catch let error as DroverError {
      throw DroverError(error.code, "storing blob '\(id)'", cause: error)
    }
  }

  public func size(_ id: String) async throws -> Int64? {
    let path = try path(id)
    return try await blocking { try Files.size(path).map(Int64.init) }
  }

  public func read(_ id: String, range: Range<Int64>?) async throws -> BlobBytes {
    guard let size = try await size(id) else {
      throw DroverError(.notFound, "reading blob '\(id)': there is no such blob")
    }
    return BlobBytes(file: try path(id), range: range?.clamped(to: 0..<size))
  }

  public func file(_ id: String) async throws -> String? {
    try await size(id) == nil ? nil : try path(id)
  }

  public func delete(_ id: String) async throws {
    let path = try path(id)
    try await blocking {
      if unlink(path) != 0, errno != ENOENT { throw systemError("deleting blob '\(id)'") }
    }
  }

  public func list() async throws -> [String] {
    let folder = folder
    return try await blocking {
      try Files.names(in: folder).filter { !$0.hasPrefix(".") }
        .flatMap { try Files.names(in: "\(folder)/\($0)") }
        .sorted()
    }
  }
}
