public import Archives
public import Digests
import Formats
public import Releases

/// A stemcell tarball: `stemcell.MF` and the file `image` (`reference/director.md E.2`).
public struct StemcellTarball: Sendable {
  public let manifest: StemcellManifest
  /// The image as a file, checked; its content is the cloud's business.
  public let image: HashedFile
  /// Of the tarball itself: SHA-1 and SHA-256.
  public let digest: MultiDigest

  /// Reads a tarball and writes its image into a folder.
  ///
  /// - Parameters:
  ///   - file: Absolute path of the tarball.
  ///   - scratch: Absolute path of a folder to make for the image. When the tarball is refused, nothing is left of it;
  ///     otherwise the caller removes it when done.
  /// - Throws: ``Formats/DroverError`` that names the tarball and the field.
  public static func open(
    _ file: String, scratch: String, limits: ArchiveLimits = ArchiveLimits()
  ) throws -> StemcellTarball {
    try Scratch(scratch).filling { folder in
      let reader = try ArchiveReader(file: file, limits: limits, hashing: [.sha1, .sha256])
      var text: [UInt8]?
      var image: HashedFile?
      while let entry = try reader.next() {
        switch entry.name {
        case "stemcell.MF" where entry.kind == .file: text = try reader.readAll(atMost: 1 << 20)
        case "image" where entry.kind == .file:
          guard image == nil else { throw DroverError(.invalid, "\(file): entry 'image' is there twice") }
          image = try HashedFile.writing(reader, to: "\(folder)/image")
        default: break
        }
      }
      let digest = try reader.finish()
      guard let text else { throw DroverError(.invalid, "\(file): has no stemcell.MF; expected a stemcell tarball") }
      let manifest = try StemcellManifest(text, file: "\(file): stemcell.MF")
      guard let image else { throw DroverError(.invalid, "\(file): has no file 'image'") }
      do {
        try manifest.digest?.verify(image.digest)
      } catch let error as DroverError {
        throw DroverError(error.code, "\(file): image: \(error.message)")
      }
      return StemcellTarball(manifest: manifest, image: image, digest: digest)
    }
  }

  /// Only the manifest of a tarball: quick when it comes first, as it does in tarballs made by BOSH.
  public static func manifest(of file: String) throws -> StemcellManifest {
    let reader = try ArchiveReader(file: file)
    while let entry = try reader.next() {
      guard entry.name == "stemcell.MF" else { continue }
      return try StemcellManifest(reader.readAll(atMost: 1 << 20), file: "\(file): stemcell.MF")
    }
    throw DroverError(.invalid, "\(file): has no stemcell.MF; expected a stemcell tarball")
  }
}
