import Digests
internal import Files
internal import Formats

/// `blobs/` of a release folder: files that are too large to commit, listed in `config/blobs.yml`.
struct BlobFolder {
  private let folder: String
  private let config: ReleaseConfig

  init(_ folder: String, _ config: ReleaseConfig) {
    self.folder = folder
    self.config = config
  }

  /// That every blob is there and is the right one; what is missing is copied from the release's blobstore where that is
  /// a folder of this machine.
  ///
  /// - Throws: ``DroverError`` that names the blob.
  func check() throws {
    for blob in config.blobs {
      let path = "\(folder)/blobs/\(blob.path)"
      if try !Files.isThere(path) { try fetch(blob, to: path) }
      guard let algorithm = blob.digest.strongest?.algorithm else { continue }
      let found = try HashedFile.hash(path, algorithm)
      do {
        try blob.digest.verify(MultiDigest(algorithm, hex: found.hex))
      } catch let error as DroverError {
        throw DroverError(.corrupt, "\(path) is not the blob that config/blobs.yml lists: \(error.message)")
      }
    }
  }

  private func fetch(_ blob: ReleaseConfig.Blob, to path: String) throws {
    guard let store = config.localBlobstore, let id = blob.objectID, try Files.isThere("\(store)/\(id)") else {
      throw DroverError(
        .notFound,
        "blob '\(blob.path)' is not in \(folder)/blobs; put it there, with the release's own script if it has one")
    }
    if let parent = Files.folder(of: path) { try Files.makeFolder(parent) }
    try Files.copy("\(store)/\(id)", to: path)
  }
}
