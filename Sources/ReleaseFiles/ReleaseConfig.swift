import Digests
internal import Files
internal import Formats

/// `config/final.yml` and `config/blobs.yml` of a release folder.
struct ReleaseConfig {
  /// A file that is not committed.
  struct Blob {
    /// Below `blobs/`.
    let path: String
    let size: Int?
    let digest: MultiDigest
    /// Its id in the release's blobstore; nil when it was never uploaded.
    let objectID: String?
  }

  let name: String
  let noCompression: Bool
  /// Where the release's blobstore is, when it is a folder.
  let localBlobstore: String?
  let blobs: [Blob]

  init(folder: String) throws {
    let file = "\(folder)/config/final.yml"
    guard let bytes = try Files.bytes(file) else {
      throw DroverError(.notFound, "\(folder) is not a release folder: there is no config/final.yml")
    }
    let document = try YAML.parse(bytes, file: file)
    do {
      let fields = try FieldReader(document)
      guard let name = try fields.optionalScalarText("name") ?? fields.optionalScalarText("final_name") else {
        throw fields.error("name", "missing; expected the release's name")
      }
      try NameRule("release name", extra: NameRule.artifact.extra).check(name)
      self.name = name
      noCompression = try fields.optionalBool("no_compression") ?? false
      let blobstore = try fields.optionalReader("blobstore")
      let isLocal = try blobstore?.optionalString("provider") == "local"
      localBlobstore = isLocal ? try blobstore?.optionalReader("options")?.optionalString("blobstore_path") : nil
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
    blobs = try Self.blobs("\(folder)/config/blobs.yml")
  }

  private static func blobs(_ file: String) throws -> [Blob] {
    guard let bytes = try Files.bytes(file) else { return [] }
    let document = try YAML.parse(bytes, file: file)
    guard !document.isNull else { return [] }
    do {
      return try FieldReader(document).object.map { path, value in
        let fields = try FieldReader(value, at: path)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.hasPrefix("/"), !parts.contains(".."), !parts.contains("") else {
          throw DroverError(.invalid, "'\(path)' leaves blobs/; expected a relative path without '..'")
        }
        return Blob(
          path: path, size: try fields.optionalInt("size"), digest: try MultiDigest(fields.scalarText("sha")),
          objectID: try fields.optionalScalarText("object_id"))
      }
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
  }
}
