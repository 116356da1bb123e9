public import Digests
internal import Files
import Formats
public import Releases

/// A release folder: `config/final.yml`, `jobs/`, `errands/`, `packages/`, `src/`, `blobs/` (docs of BOSH, "release directory").
public struct ReleaseFolder: Sendable {
  /// How a release is made of it.
  public struct Options: Sendable, Hashable {
    /// Instead of the name in `config/final.yml`.
    public var name: String?
    /// Instead of the next development version.
    public var version: String?
    /// Whether changes that are not committed are allowed.
    public var force: Bool
    /// Absolute path of the tarball to write; `((name))` and `((version))` stand for what they say. Nil writes none.
    public var tarball: String?

    public init(name: String? = nil, version: String? = nil, force: Bool = false, tarball: String? = nil) {
      self.name = name
      self.version = version
      self.force = force
      self.tarball = tarball
    }
  }

  /// A release that was made.
  public struct Created: Sendable, Hashable {
    public var manifest: ReleaseManifest
    /// Names of those of its jobs that are errands.
    public var errands: [String]
    /// Absolute path; nil when none was wanted.
    public var tarball: String?
    /// SHA-256 of the tarball.
    public var digest: MultiDigest?
  }

  /// Absolute.
  public let path: String
  /// As `config/final.yml` says it.
  public let name: String
  private let noCompression: Bool

  /// - Throws: ``Formats/DroverError`` with code `not_found` when this is no release folder.
  public init(_ path: String) throws {
    let config = try ReleaseConfig(folder: path)
    self.path = path
    name = config.name
    noCompression = config.noCompression
  }

  /// Makes a development release: its manifest in `dev_releases/`, and a tarball if wanted. The same files always have
  /// the same fingerprints and give the same archives.
  ///
  /// - Parameter entryID: Names the version's entry in the index; any text that is new, such as a UUID.
  /// - Throws: ``Formats/DroverError`` that names the file: a spec with an error, a file or blob that is missing, a
  ///   pattern that matches nothing; `conflict` when there are uncommitted changes or the version is there already.
  public func create(_ options: Options = Options(), entryID: String) async throws -> Created {
    let git = try await GitState(of: path, force: options.force)
    let name = options.name ?? self.name
    try NameRule("release name", extra: NameRule.artifact.extra).check(name)
    let developed = try ReleaseIndex("\(path)/dev_releases", name)
    let version = try self.version(options, name, developed)
    let contents = try ReleaseFolderContents(path)
    let scratch = try Files.makeTemporaryFolder("drover-release")
    defer { try? Files.remove(scratch) }
    let archives = try await ReleaseArchives(contents, scratch: scratch, releaseFolder: path)
    let manifest = archives.manifest(
      name: name, version: version, commitHash: git.commitHash, uncommittedChanges: git.isDirty,
      noCompression: noCompression)
    var created = Created(manifest: manifest, errands: archives.errands)
    if let tarball = options.tarball {
      let target = Self.substitute(tarball, ["((name))": name, "((version))": version])
      created.digest = try archives.write(manifest, to: target)
      created.tarball = target
    }
    try developed.add(manifest, id: entryID)
    return created
  }

  private func version(_ options: Options, _ name: String, _ developed: ReleaseIndex) throws -> String {
    if let version = options.version {
      _ = try SemiSemanticVersion(version)
      try NameRule("release version", extra: NameRule.artifact.extra).check(version)
      guard !developed.contains(version) else {
        throw DroverError(.conflict, "version \(version) of release \(name) is there already; choose another one")
      }
      return version
    }
    let final = try ReleaseIndex("\(path)/releases", name).versions.last
    let last = [developed.versions.last, final].compactMap { $0 }.max()
    return try (last ?? SemiSemanticVersion("0")).nextDevelopment.description
  }

  private static func substitute(_ text: String, _ values: [String: String]) -> String {
    var text = text
    for (mark, value) in values {
      while let range = text.firstRange(of: mark) { text.replaceSubrange(range, with: value) }
    }
    return text
  }
}
