import AgentProtocol
import Digests
import Formats

/// A job, errand or package as it is installed: a folder named by its version and digest, and a link by which everybody finds it
/// (reference/agent.md 10).
struct Bundle: Sendable, Hashable {
  enum Kind: String, Sendable, Hashable, CaseIterable {
    case jobs, errands, packages

    /// Of a template of a spec.
    init(_ template: ApplySpec.Template) { self = template.isErrand ? .errands : .jobs }

    var noun: String {
      switch self {
      case .jobs: "job"
      case .errands: "errand"
      case .packages: "package"
      }
    }

    /// Of the folders around it.
    var mode: UInt32 { self == .packages ? 0o755 : 0o750 }

    /// Where everybody finds it.
    func links(_ layout: VMLayout) -> String { "\(layout.base)/\(rawValue)" }

    /// Where its folders are. Those of errands have a name that no job has, since jobs have folders of their own names here.
    func folders(_ layout: VMLayout) -> String { "\(layout.data)/\(self == .errands ? ".errands" : rawValue)" }
  }

  let kind: Kind
  let name: String
  /// The folder's name: SHA-1 in hexadecimal.
  let identity: String

  /// - Parameter digest: the whole multi-digest as it was given; nil for the target of a compilation, which is named by
  ///   the version alone.
  init(_ kind: Kind, name: String, version: String, digest: String?) throws {
    self.kind = kind
    self.name = try SafeName.component(name, kind.noun)
    identity = DigestHasher.hex(.sha1, digest.map { "\(version)-\($0)" } ?? version)
  }

  func parent(_ layout: VMLayout) -> String { "\(kind.folders(layout))/\(name)" }
  func folder(_ layout: VMLayout) -> String { "\(parent(layout))/\(identity)" }
  func link(_ layout: VMLayout) -> String { "\(kind.links(layout))/\(name)" }
}

extension Bundle {
  init(_ package: ApplySpec.Package) throws {
    try self.init(.packages, name: package.name, version: package.version, digest: package.sha1)
  }

  init(_ job: ApplySpec.Template, archive: ApplySpec.RenderedTemplatesArchive) throws {
    try self.init(Kind(job), name: job.name, version: job.version, digest: archive.sha1)
  }
}
