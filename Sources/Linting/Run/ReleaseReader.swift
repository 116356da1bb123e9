internal import Archives
import Files
internal import Formats
internal import Processes
internal import ReleaseFiles
internal import Releases

/// Reads releases to look at: a folder as it is, finished or not, or a tarball.
public enum ReleaseReader {
  /// Files larger than this are no texts to look at.
  private static let limit = 4 << 20

  /// - Parameters:
  ///   - path: Absolute path of a release folder or of a release tarball.
  ///   - scratch: Absolute path of an existing folder for what is in the tarball.
  /// - Throws: ``Formats/DroverError`` when it is neither.
  public static func read(_ path: String, scratch: String) throws -> LintedRelease {
    if try isFolder(path) { return try folder(path) }
    guard try Files.exists(path) else {
      throw DroverError(.notFound, "looking at \(path): there is no such folder or file")
    }
    return try tarball(path, scratch: scratch)
  }

  private static func isFolder(_ path: String) throws -> Bool { try FileFacts(path)?.kind == .folder }

  // MARK: Folders

  private static func folder(_ path: String) throws -> LintedRelease {
    guard try isFolder("\(path)/jobs") || isFolder("\(path)/errands") || Files.exists("\(path)/config/final.yml") else {
      throw DroverError(.invalid, "\(path) is no release: there is neither jobs/ nor config/final.yml")
    }
    var jobs: [LintedJob] = []
    for kind in [JobKind.job, .errand] {
      for name in try Files.names(in: "\(path)/\(kind.folder)") where try isFolder("\(path)/\(kind.folder)/\(name)") {
        jobs.append(try job(name, kind, in: path))
      }
    }
    var packages: [LintedPackage] = []
    for name in try Files.names(in: "\(path)/packages") where try isFolder("\(path)/packages/\(name)") {
      packages.append(LintedPackage(name: name, packaging: try source("packages/\(name)/packaging", in: path)))
    }
    var manifests: [SourceText] = []
    for folder in ["manifests", "operations"] {
      for file in try files("\(path)/\(folder)") where file.hasSuffix(".yml") || file.hasSuffix(".yaml") {
        if let text = try source("\(folder)/\(file)", in: path) { manifests.append(text) }
      }
    }
    return LintedRelease(jobs: jobs, packages: packages, manifests: manifests)
  }

  private static func job(_ name: String, _ kind: JobKind, in path: String) throws -> LintedJob {
    let folder = "\(kind.folder)/\(name)"
    var templates: [String: SourceText] = [:]
    for file in try files("\(path)/\(folder)/templates") {
      templates[file] = try source("\(folder)/templates/\(file)", in: path)
    }
    return LintedJob(
      name: name, kind: kind,
      spec: try source("\(folder)/spec", in: path) ?? SourceText(path: "\(folder)/spec", text: ""),
      monit: try source("\(folder)/monit", in: path), templates: templates)
  }

  /// Nil when it is not there, or too large, or no text.
  private static func source(_ file: String, in path: String) throws -> SourceText? {
    guard let size = try Files.size("\(path)/\(file)"), size <= limit else { return nil }
    return SourceText(path: file, text: String(decoding: try Files.read("\(path)/\(file)"), as: UTF8.self))
  }

  /// Files below a folder, in folders that are no links; links to files count.
  private static func files(_ folder: String, below prefix: String = "") throws -> [String] {
    var found: [String] = []
    for name in try Files.names(in: "\(folder)/\(prefix)") {
      let file = "\(folder)/\(prefix)\(name)"
      if try Files.isFolder(file) {
        found += try files(folder, below: "\(prefix)\(name)/")
      } else if try !isFolder(file), try Files.exists(file) {
        found.append(prefix + name)
      }
    }
    return found
  }

  // MARK: Tarballs

  private static func tarball(_ path: String, scratch: String) throws -> LintedRelease {
    let release = try ReleaseTarball.open(path, scratch: "\(scratch)/release")
    let jobs = try release.jobs.map { job in
      let folder = "\(job.kind.folder)/\(job.spec.name)"
      let archive = try JobArchive(job.archive.path, label: folder)
      func text(_ file: String) -> SourceText? {
        archive.files[file].map {
          SourceText(path: "\(folder)/\(file)", text: String(decoding: $0, as: UTF8.self))
        }
      }
      var templates: [String: SourceText] = [:]
      for file in archive.files.keys where file.hasPrefix("templates/") {
        templates[String(file.dropFirst("templates/".count))] = text(file)
      }
      return LintedJob(
        name: job.spec.name, kind: job.kind,
        spec: text("job.MF") ?? SourceText(path: "\(folder)/job.MF", text: ""),
        monit: text("monit"), templates: templates)
    }
    let packages = try release.packages.map { package in
      LintedPackage(name: package.name, packaging: try package.archive.flatMap { try packaging(package.name, $0.path) })
    }
    let compiled = release.compiledPackages.map { LintedPackage(name: $0.name, packaging: nil) }
    return LintedRelease(jobs: jobs, packages: packages + compiled)
  }

  private static func packaging(_ name: String, _ archive: String) throws -> SourceText? {
    let reader = try ArchiveReader(file: archive)
    while let entry = try reader.next() {
      guard try EntryPath.inside(entry.path) == ["packaging"], entry.kind == .file else { continue }
      let bytes = try reader.readAll(atMost: limit)
      return SourceText(path: "packages/\(name)/packaging", text: String(decoding: bytes, as: UTF8.self))
    }
    return nil
  }
}
