import Digests
internal import Formats

/// The fingerprint of a job, package or license: a digest over names, digests and modes of its files, as the stock
/// command line computes it, so that the same sources have the same fingerprint everywhere (`reference/director.md E.1`).
public struct Fingerprint: Sendable, Hashable {
  /// How a file's permissions count: only as git tracks them.
  public enum Mode: String, Sendable, Hashable {
    case executable = "100755"
    case plain = "100644"
    /// A link that is kept as one; its text is what is hashed.
    case link = "symlink"
    /// Not at all: hooks and licenses.
    case none = ""
  }

  /// A file of the artifact.
  public struct File: Sendable, Hashable {
    public var path: String
    /// SHA-256 of the content (or of a link's text), hexadecimal.
    public var sha256: String
    public var mode: Mode

    public init(path: String, sha256: String, mode: Mode) {
      self.path = path
      self.sha256 = sha256
      self.mode = mode
    }
  }

  /// Hexadecimal SHA-256.
  public let text: String

  /// - Parameter chunks: What counts besides files: a package's dependencies.
  public init(files: some Sequence<File>, chunks: [String] = []) {
    var whole = "v2"
    for file in files.sorted(by: { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }) {
      whole += "\(file.path)sha256:\(file.sha256)\(file.mode.rawValue)"
    }
    whole += chunks.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ",")
    text = DigestHasher.hex(.sha256, whole)
  }
}
