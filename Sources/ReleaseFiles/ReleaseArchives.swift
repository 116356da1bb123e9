internal import Archives
import Digests
internal import Formats
internal import Releases

/// The archives of a release's jobs, packages and license, built.
struct ReleaseArchives {
  private struct Built {
    let artifact: Artifact
    let file: String
    let digest: MultiDigest
  }

  private let jobs: [Built]
  private let packages: [Built]
  private let license: Built?
  private let licenseFiles: [SourceFile]

  init(_ contents: ReleaseFolderContents, scratch: String, releaseFolder: String) async throws {
    func build(_ artifact: Artifact, _ kind: String) async throws -> Built {
      let file = "\(scratch)/\(kind)-\(artifact.name).tgz"
      let staging = "\(scratch)/\(kind)-\(artifact.name).staging"
      let digest = try await artifact.pack(to: file, scratch: staging, releaseFolder: releaseFolder)
      return Built(artifact: artifact, file: file, digest: digest)
    }
    var built: [Built] = []
    for job in contents.jobs { built.append(try await build(job, "job")) }
    jobs = built.sorted { $0.artifact.name < $1.artifact.name }
    built = []
    for package in contents.packages { built.append(try await build(package, "package")) }
    packages = built.sorted { $0.artifact.name < $1.artifact.name }
    if let artifact = contents.license { license = try await build(artifact, "license") } else { license = nil }
    licenseFiles = contents.license?.files ?? []
  }

  /// Names of those jobs that are errands.
  var errands: [String] { jobs.filter { $0.artifact.kind == .errand }.map(\.artifact.name) }

  func manifest(
    name: String, version: String, commitHash: String, uncommittedChanges: Bool, noCompression: Bool
  ) -> ReleaseManifest {
    ReleaseManifest(
      name: name, version: version, commitHash: commitHash, uncommittedChanges: uncommittedChanges,
      noCompression: noCompression,
      jobs: jobs.map {
        .init(
          name: $0.artifact.name, fingerprint: $0.artifact.fingerprint.text, digest: $0.digest,
          packages: $0.artifact.packages)
      },
      packages: packages.map {
        .init(
          name: $0.artifact.name, fingerprint: $0.artifact.fingerprint.text, digest: $0.digest,
          dependencies: $0.artifact.packages)
      },
      license: license.map { .init(fingerprint: $0.artifact.fingerprint.text, digest: $0.digest) })
  }

  /// Writes the release tarball, `release.MF` first.
  func write(_ manifest: ReleaseManifest, to tarball: String) throws -> MultiDigest {
    let writer = try ArchiveWriter(
      file: tarball, compression: manifest.noCompression ? .none : .gzip(level: 1), hashing: [.sha256])
    func entry(_ path: String, _ kind: ArchiveEntry.Kind = .file) -> ArchiveEntry {
      ArchiveEntry(path: path, kind: kind, mode: kind == .file ? 0o644 : 0o755, modifiedAt: Artifact.modifiedAt)
    }
    try writer.add(entry("release.MF"), content: Array(manifest.text.utf8))
    for (folder, built) in [("jobs", jobs), ("packages", packages)] where !built.isEmpty {
      try writer.add(entry("\(folder)/", .directory))
      for archive in built {
        try writer.add(entry("\(folder)/\(archive.artifact.name).tgz"), contentOf: archive.file)
      }
    }
    if let license {
      try writer.add(entry("license.tgz"), contentOf: license.file)
      for file in licenseFiles where file.link == nil {
        if let source = file.source { try writer.add(entry(file.path), contentOf: source) }
      }
    }
    return try writer.finish()
  }
}
