internal import Archives
import Digests
internal import Files
internal import Formats
internal import Releases

/// A file of a release folder that goes into an archive.
struct SourceFile {
  /// Absolute; nil for a file that the release folder does not have.
  let source: String?
  /// Of a file that the release folder does not have.
  let content: [UInt8]
  /// In the archive.
  let path: String
  /// The text of a symbolic link that stays one; nil for files, and for links that are followed.
  let link: String?
  let isExecutable: Bool
  /// Whether permissions count for the fingerprint.
  let countsMode: Bool
  /// Bytes, and SHA-256 in hexadecimal.
  let size: Int
  let sha256: String

  /// - Parameter followsLinks: Whether a link is replaced by what it leads to. It counts as executable then, as links'
  ///   own permissions do, which is what the stock command line looks at.
  /// - Throws: ``DroverError`` when it is not there, or is neither file nor link.
  init(_ source: String, as path: String, followsLinks: Bool, countsMode: Bool = true) throws {
    self.source = source
    content = []
    self.path = path
    self.countsMode = countsMode
    guard let facts = try FileFacts(source, followsLinks: false) else {
      throw DroverError(.notFound, "\(source): there is no such file")
    }
    let isLink = facts.kind == .link
    isExecutable = facts.permissions & 0o111 != 0
    if isLink, !followsLinks {
      guard let text = try Files.linkText(source) else { throw DroverError(.notFound, "\(source): the link is gone") }
      link = text
      size = 0
      sha256 = DigestHasher.hex(.sha256, text)
    } else {
      link = nil
      guard isLink || facts.kind == .file else {
        throw DroverError(.invalid, "\(source): is neither a file nor a link")
      }
      do {
        (size, sha256) = try HashedFile.hash(source, .sha256)
      } catch let error as DroverError where isLink {
        throw DroverError(error.code, "\(source): cannot follow the link: \(error.message)")
      }
    }
  }

  /// A file that the release folder need not have.
  init(content: [UInt8], as path: String) {
    source = nil
    self.content = content
    self.path = path
    link = nil
    isExecutable = false
    countsMode = true
    size = content.count
    sha256 = DigestHasher.hex(.sha256, content)
  }

  var fingerprinted: Fingerprint.File {
    let mode: Fingerprint.Mode =
      !countsMode ? .none : link != nil ? .link : isExecutable ? .executable : .plain
    return Fingerprint.File(path: path, sha256: sha256, mode: mode)
  }

  /// Adds the file to an archive.
  func add(to writer: ArchiveWriter, prefix: String = "", modifiedAt: Int) throws {
    let entry = entry(prefix: prefix, modifiedAt: modifiedAt)
    switch source {
    case _ where link != nil: try writer.add(entry)
    case let source?: try writer.add(entry, contentOf: source)
    case nil: try writer.add(entry, content: content)
    }
  }

  private func entry(prefix: String, modifiedAt: Int) -> ArchiveEntry {
    if let link {
      return ArchiveEntry(path: prefix + path, kind: .symbolicLink(link), mode: 0o777, modifiedAt: modifiedAt)
    }
    return ArchiveEntry(
      path: prefix + path, kind: .file, mode: isExecutable ? 0o755 : 0o644, modifiedAt: modifiedAt)
  }
}
