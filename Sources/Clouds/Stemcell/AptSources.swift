/// Where this machine gets Debian from: the build of a stemcell uses the same mirrors, and none that nobody configured.
struct AptSources: Sendable, Hashable {
  /// The repository that the base system comes from.
  var mirror: String
  /// The lines of sources.list.
  var lines: [String]

  /// From the answer of `apt-get indextargets --format '$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(TRUSTED)'`.
  ///
  /// - Parameters:
  ///   - suite: the Debian release that is wanted, such as `bookworm`; with it come its updates and security updates.
  ///   - mirror: to be used instead, for machines that have other releases.
  /// - Returns: nil when this machine has no such release in its sources and no mirror was given.
  init?(indexTargets: String, suite: String, mirror: String?) {
    if let mirror {
      self.mirror = mirror
      lines = ["deb \(mirror) \(suite) main"]
      return
    }
    var repositories: [String: String] = [:]
    for line in indexTargets.split(separator: "\n") {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      guard fields.count >= 3, fields[2] == "main" else { continue }
      if repositories[fields[1]] == nil { repositories[fields[1]] = fields[0] }
    }
    guard let base = repositories[suite] else { return nil }
    self.mirror = base
    lines = [suite, "\(suite)-updates", "\(suite)-security"].compactMap { name in
      repositories[name].map { "deb \($0) \(name) main" }
    }
  }

  /// The settings of apt on this machine by which it reaches its mirrors: proxies, certificates, dates.
  /// - Parameter dump: the answer of `apt-config dump`.
  static func acquireSettings(dump: String) -> String {
    let wanted = ["Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::AllowInsecure"]
    return dump.split(separator: "\n").filter { line in wanted.contains { line.hasPrefix($0) } }
      .joined(separator: "\n")
  }
}
