import Digests
internal import Formats
internal import Glibc

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
      if FolderWalk.status(path) == nil { try fetch(blob, to: path) }
      guard let algorithm = blob.digest.strongest?.algorithm else { continue }
      let found = try OpenedFile.digest(path, algorithm)
      do {
        try blob.digest.verify(MultiDigest(algorithm, hex: found.hex))
      } catch let error as DroverError {
        throw DroverError(.corrupt, "\(path) is not the blob that config/blobs.yml lists: \(error.message)")
      }
    }
  }

  private func fetch(_ blob: ReleaseConfig.Blob, to path: String) throws {
    guard let store = config.localBlobstore, let id = blob.objectID, FolderWalk.status("\(store)/\(id)") != nil else {
      throw DroverError(
        .notFound,
        "blob '\(blob.path)' is not in \(folder)/blobs; put it there, with the release's own script if it has one")
    }
    var parent = "\(folder)/blobs"
    for part in [""] + blob.path.split(separator: "/").dropLast().map(String.init) {
      if !part.isEmpty { parent += "/\(part)" }
      guard mkdir(parent, 0o755) == 0 || errno == EEXIST else {
        throw systemError("cannot make the folder \(parent)")
      }
    }
    try OpenedFile.copy("\(store)/\(id)", to: path)
  }
}
