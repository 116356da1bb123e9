/// A release, read: what rules are asked about.
public struct LintedRelease: Sendable {
  public let jobs: [LintedJob]
  public let packages: [LintedPackage]
  /// Manifests and operations files that come with it.
  public let manifests: [SourceText]

  public init(jobs: [LintedJob], packages: [LintedPackage] = [], manifests: [SourceText] = []) {
    self.jobs = jobs
    self.packages = packages
    self.manifests = manifests
  }

  /// Every file that was read, by its path.
  var sources: [String: SourceText] {
    var sources: [String: SourceText] = [:]
    for job in jobs {
      for source in [job.specSource, job.monit].compactMap({ $0 }) + job.templates.map(\.source) {
        sources[source.path] = source
      }
    }
    for source in packages.compactMap(\.packaging) + manifests { sources[source.path] = source }
    return sources
  }
}

/// A package: its name, and how it is built.
public struct LintedPackage: Sendable {
  public let name: String
  /// Nil when it is compiled already, or taken from another release.
  public let packaging: SourceText?

  public init(name: String, packaging: SourceText?) {
    self.name = name
    self.packaging = packaging
  }
}
