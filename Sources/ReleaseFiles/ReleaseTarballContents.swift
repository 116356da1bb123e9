internal import Archives
import Digests
internal import Files
internal import Formats
internal import Releases

/// What was found in a release tarball, before it is compared with what the manifest says.
struct ReleaseTarballContents {
  static let maximumManifest = 16 << 20

  private enum Section: String, CaseIterable {
    case jobs
    case packages
    case compiledPackages = "compiled_packages"
  }

  private var manifest: [UInt8]?
  private var archives: [String: HashedFile] = [:]
  private let digest: MultiDigest

  /// Reads all of the tarball; archives of jobs and packages go into files of the folder.
  init(_ reader: ArchiveReader, into folder: String) throws {
    func fail(_ entry: ArchiveEntry, _ why: String) -> DroverError {
      DroverError(.invalid, "\(reader.label): entry '\(entry.path)': \(why)")
    }
    while let entry = try reader.next() {
      try Task.checkCancellation()
      let parts: [String]
      do {
        parts = try EntryPath.inside(entry.path)
      } catch let error as DroverError {
        throw DroverError(error.code, "\(reader.label): \(error.message)")
      }
      switch entry.kind {
      case .directory: continue
      case .file: break
      default: throw fail(entry, "a release tarball holds only files and folders")
      }
      let name = parts.joined(separator: "/")
      if name == "release.MF" {
        guard manifest == nil else { throw fail(entry, "is there twice") }
        manifest = try reader.readAll(atMost: Self.maximumManifest)
        continue
      }
      guard parts.count == 2, let section = Section(rawValue: parts[0]), parts[1].hasSuffix(".tgz") else { continue }
      guard archives[name] == nil else { throw fail(entry, "is there twice") }
      archives[name] = try HashedFile.writing(
        reader, to: "\(folder)/\(archives.count)-\(section.rawValue)-\(String(parts[1].dropLast(4))).tgz")
    }
    digest = try reader.finish()
    if manifest == nil { throw DroverError(.invalid, "\(reader.label): has no release.MF; expected a release tarball") }
  }

  func release(scratch: String, limits: ArchiveLimits) throws -> ReleaseTarball {
    let manifest = try ReleaseManifest(manifest ?? [])
    let graph = try manifest.packageGraph
    let jobs = try manifest.jobs.map { job in
      let name = "jobs/\(job.name).tgz"
      guard let archive = try archive(name, job.digest) else {
        throw DroverError(.invalid, "release.MF lists job '\(job.name)', but \(name) is not in the tarball")
      }
      let contents = try JobArchive(archive.path, label: name, limits: limits)
      try contents.check(name: job.name)
      for package in contents.spec.packages where !graph.names.contains(package) {
        throw DroverError(
          .invalid, "\(name): job.MF: job '\(job.name)' needs package '\(package)', which is not in the release")
      }
      return ReleaseTarball.Job(
        kind: contents.kind, spec: contents.spec, document: contents.document, fingerprint: job.fingerprint,
        digest: job.digest,
        archive: archive)
    }
    let packages = try manifest.packages.map { package in
      let name = "packages/\(package.name).tgz"
      let archive = try archive(name, package.digest)
      if let archive {
        try Archives.check(ArchiveReader(label: name, limits: limits, file: archive.path), options: .strict)
      }
      return ReleaseTarball.Package(
        name: package.name, fingerprint: package.fingerprint, digest: package.digest,
        dependencies: package.dependencies, archive: archive)
    }
    let compiledPackages = try manifest.compiledPackages.map { package in
      let name = "compiled_packages/\(package.name).tgz"
      let archive = try archive(name, package.digest)
      if let archive {
        try Archives.check(ArchiveReader(label: name, limits: limits, file: archive.path), options: .package)
      }
      return ReleaseTarball.CompiledPackage(
        name: package.name, fingerprint: package.fingerprint, digest: package.digest, stemcell: package.stemcell,
        dependencies: package.dependencies, archive: archive)
    }
    return ReleaseTarball(
      manifest: manifest, jobs: jobs, packages: packages, compiledPackages: compiledPackages, graph: graph,
      digest: digest, scratch: scratch)
  }

  private func archive(_ name: String, _ digest: MultiDigest) throws -> HashedFile? {
    guard let archive = archives[name] else { return nil }
    do {
      try digest.verify(archive.digest)
    } catch let error as DroverError {
      throw DroverError(error.code, "\(name): \(error.message)")
    }
    return archive
  }
}

extension ArchiveReader {
  /// Reads a file that is called something else in errors.
  convenience init(label: String, limits: ArchiveLimits, file: String) throws {
    let inner = try OpenFile(reading: file)
    try self.init(label: label, limits: limits) { try inner.read(into: $0) }
  }
}
