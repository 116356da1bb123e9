import AgentProtocol
import Formats

/// A job or package as it is installed: a folder named by its version and digest, and a link by which everybody finds it
/// (reference/agent.md 10).
struct Bundle: Sendable, Hashable {
  enum Kind: String, Sendable, Hashable { case jobs, packages }

  let kind: Kind
  let name: String
  /// The folder's name: SHA-1 in hexadecimal.
  let identity: String

  /// - Parameter digest: the whole multi-digest as it was given; nil for the target of a compilation, which is named by
  ///   the version alone.
  init(_ kind: Kind, name: String, version: String, digest: String?) throws {
    self.kind = kind
    self.name = try SafeName.component(name, kind == .jobs ? "job" : "package")
    identity = DigestHasher.hex(.sha1, digest.map { "\(version)-\($0)" } ?? version)
  }

  func parent(_ layout: VMLayout) -> String { "\(layout.data)/\(kind.rawValue)/\(name)" }
  func folder(_ layout: VMLayout) -> String { "\(parent(layout))/\(identity)" }
  func link(_ layout: VMLayout) -> String { "\(layout.base)/\(kind.rawValue)/\(name)" }
}

extension Bundle {
  init(_ package: ApplySpec.Package) throws {
    try self.init(.packages, name: package.name, version: package.version, digest: package.sha1)
  }

  init(_ job: ApplySpec.Template, archive: ApplySpec.RenderedTemplatesArchive) throws {
    try self.init(.jobs, name: job.name, version: job.version, digest: archive.sha1)
  }
}
