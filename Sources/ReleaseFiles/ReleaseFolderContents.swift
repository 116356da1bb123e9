internal import Files
internal import Formats
internal import Releases

/// Everything in a release folder that goes into the release, found and checked.
struct ReleaseFolderContents {
  private let folder: String
  private(set) var jobs: [Artifact] = []
  private(set) var packages: [Artifact] = []
  private(set) var license: Artifact?

  init(_ folder: String) throws {
    self.folder = folder
    let config = try ReleaseConfig(folder: folder)
    try BlobFolder(folder, config).check()
    let sources = try SourceTree(folder, blobs: config.blobs.map(\.path))
    for name in try FolderWalk.names("\(folder)/packages") where try FolderWalk.isFolder("\(folder)/packages/\(name)") {
      packages.append(try Self.package("\(folder)/packages/\(name)", sources))
    }
    let graph = try PackageGraph(packages.map { ($0.name, $0.packages) })
    for kind in [JobKind.job, .errand] {
      let parent = "\(folder)/\(kind.folder)"
      for name in try FolderWalk.names(parent) where try FolderWalk.isFolder("\(parent)/\(name)") {
        let job = try JobFolder("\(parent)/\(name)", name, kind).artifact()
        for package in job.packages where !graph.names.contains(package) {
          throw DroverError(
            .invalid, "\(parent)/\(name)/spec: packages: '\(package)' is not among the release's packages")
        }
        try add(job)
      }
    }
    license = try Self.license(folder)
    for (index, package) in packages.enumerated() where packages[..<index].contains(where: { $0.name == package.name })
    {
      throw DroverError(.invalid, "\(folder): package '\(package.name)' is there twice")
    }
  }

  /// Manifests name jobs and errands alike, by their names alone.
  private mutating func add(_ job: Artifact) throws {
    if jobs.contains(where: { $0.name == job.name }) {
      throw DroverError(
        .invalid,
        "\(folder): there are a job and an errand '\(job.name)'; manifests name both in the same way: rename one of them"
      )
    }
    jobs.append(job)
  }

  private static func package(_ folder: String, _ sources: SourceTree) throws -> Artifact {
    guard try !Files.isThere("\(folder)/spec.lock") else {
      throw DroverError(.unsupported, "\(folder)/spec.lock: vendored packages are not supported yet")
    }
    let spec = try PackageSpec(JobFolder.part("\(folder)/spec"), file: "\(folder)/spec")
    guard try Files.isThere("\(folder)/packaging") else {
      throw DroverError(.invalid, "\(folder): package '\(spec.name)' has no file packaging")
    }
    var files = [try SourceFile("\(folder)/packaging", as: "packaging", followsLinks: false, countsMode: false)]
    var prePackaging: SourceFile?
    if try Files.isThere("\(folder)/pre_packaging") {
      let hook = try SourceFile("\(folder)/pre_packaging", as: "pre_packaging", followsLinks: false, countsMode: false)
      files.append(hook)
      prePackaging = hook
    }
    for (path, source) in try sources.files(of: spec, in: "\(folder)/spec") {
      guard path != "packaging", path != "pre_packaging" else {
        throw DroverError(.invalid, "\(folder)/spec: files: '\(path)' would replace the package's own \(path)")
      }
      files.append(try SourceFile(source, as: path, followsLinks: false))
    }
    return Artifact(
      name: spec.name, files: files, packages: spec.dependencies, chunks: spec.dependencies,
      noCompression: spec.noCompression, prePackaging: prePackaging)
  }

  private static func license(_ folder: String) throws -> Artifact? {
    let names = try FolderWalk.names(folder).filter { $0.hasPrefix("LICENSE") || $0.hasPrefix("NOTICE") }
    let files = try names.filter { try !FolderWalk.isFolder("\(folder)/\($0)") }.map {
      try SourceFile("\(folder)/\($0)", as: $0, followsLinks: false, countsMode: false)
    }
    return files.isEmpty ? nil : Artifact(name: "license", files: files, packages: [])
  }
}
