internal import Formats
internal import Glibc
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
    for name in try FolderWalk.names("\(folder)/packages") where FolderWalk.isFolder("\(folder)/packages/\(name)") {
      packages.append(try Self.package("\(folder)/packages/\(name)", sources))
    }
    let graph = try PackageGraph(packages.map { ($0.name, $0.packages) })
    for name in try FolderWalk.names("\(folder)/jobs") where FolderWalk.isFolder("\(folder)/jobs/\(name)") {
      let job = try Self.job("\(folder)/jobs/\(name)", name)
      for package in job.packages where !graph.names.contains(package) {
        throw DroverError(
          .invalid, "\(folder)/jobs/\(name)/spec: packages: '\(package)' is not among the release's packages")
      }
      jobs.append(job)
    }
    license = try Self.license(folder)
    for (what, artifacts) in [("package", packages), ("job", jobs)] {
      for (index, artifact) in artifacts.enumerated()
      where artifacts[..<index].contains(where: { $0.name == artifact.name }) {
        throw DroverError(.invalid, "\(folder): \(what) '\(artifact.name)' is there twice")
      }
    }
  }

  private static func package(_ folder: String, _ sources: SourceTree) throws -> Artifact {
    guard FolderWalk.status("\(folder)/spec.lock") == nil else {
      throw DroverError(.unsupported, "\(folder)/spec.lock: vendored packages are not supported yet")
    }
    let spec = try PackageSpec(read("\(folder)/spec"), file: "\(folder)/spec")
    guard FolderWalk.status("\(folder)/packaging") != nil else {
      throw DroverError(.invalid, "\(folder): package '\(spec.name)' has no file packaging")
    }
    var files = [try SourceFile("\(folder)/packaging", as: "packaging", followsLinks: false, countsMode: false)]
    var prePackaging: SourceFile?
    if FolderWalk.status("\(folder)/pre_packaging") != nil {
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

  private static func job(_ folder: String, _ name: String) throws -> Artifact {
    let file = "\(folder)/spec"
    let spec = try JobSpec(read(file), file: file)
    guard spec.name == name else {
      throw DroverError(.invalid, "\(file): name: is '\(spec.name)', but the job's folder is '\(name)'")
    }
    guard FolderWalk.status("\(folder)/monit") != nil else {
      throw DroverError(.invalid, "\(folder): job '\(name)' has no file monit; it may be empty")
    }
    var files = [try SourceFile(file, as: "job.MF", followsLinks: true)]
    files.append(try SourceFile("\(folder)/monit", as: "monit", followsLinks: true))
    if FolderWalk.status("\(folder)/properties_schema.json") != nil {
      files.append(
        try SourceFile("\(folder)/properties_schema.json", as: "properties_schema.json", followsLinks: true))
    }
    for template in spec.templates {
      let path = "templates/\(template.source)"
      guard FolderWalk.status("\(folder)/\(path)") != nil else {
        throw DroverError(.invalid, "\(file): templates.\(template.source): there is no file \(path)")
      }
      files.append(try SourceFile("\(folder)/\(path)", as: path, followsLinks: true))
    }
    return Artifact(name: name, files: files, packages: spec.packages)
  }

  private static func license(_ folder: String) throws -> Artifact? {
    let names = try FolderWalk.names(folder).filter { $0.hasPrefix("LICENSE") || $0.hasPrefix("NOTICE") }
    let files = try names.filter { !FolderWalk.isFolder("\(folder)/\($0)") }.map {
      try SourceFile("\(folder)/\($0)", as: $0, followsLinks: false, countsMode: false)
    }
    return files.isEmpty ? nil : Artifact(name: "license", files: files, packages: [])
  }

  private static func read(_ path: String) throws -> [UInt8] {
    do {
      return try OpenedFile.contents(path)
    } catch let error as DroverError where error.code == .notFound {
      throw DroverError(.invalid, "\(path): there is no such file", cause: error.cause)
    }
  }
}
