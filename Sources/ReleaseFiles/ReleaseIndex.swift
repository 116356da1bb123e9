internal import Formats
internal import Glibc
internal import Releases

/// The versions of a release that were made in its folder: `dev_releases/NAME/index.yml` or `releases/NAME/index.yml`,
/// and a manifest beside it for each.
struct ReleaseIndex {
  private let folder: String
  private let name: String
  /// Every version, oldest first as far as their order says.
  let versions: [SemiSemanticVersion]

  init(_ folder: String, _ name: String) throws {
    self.folder = "\(folder)/\(name)"
    self.name = name
    let file = "\(folder)/\(name)/index.yml"
    let bytes: [UInt8]
    do {
      bytes = try OpenedFile.contents(file)
    } catch let error as DroverError where error.code == .notFound {
      versions = []
      return
    }
    let document = try YAML.parse(bytes, file: file)
    do {
      let builds = try FieldReader(document).optionalObject("builds") ?? ValueObject()
      versions = try builds.map { id, build in
        try SemiSemanticVersion(FieldReader(build, at: "builds.\(id)").scalarText("version"))
      }.sorted()
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
  }

  func contains(_ version: String) -> Bool { versions.contains { $0.description == version } }

  /// Writes the manifest and adds its version. Each file appears whole.
  ///
  /// - Parameter id: Any text that no other entry has.
  func add(_ manifest: ReleaseManifest, id: String) throws {
    for path in [String(folder.dropLast(name.utf8.count + 1)), folder] where !FolderWalk.isFolder(path) {
      guard mkdir(path, 0o755) == 0 else {
        throw systemError("cannot make the folder \(path)")
      }
    }
    let file = "\(folder)/index.yml"
    var builds = ValueObject()
    if FolderWalk.status(file) != nil {
      builds = try YAML.parse(OpenedFile.contents(file), file: file)["builds"]?.object ?? builds
    }
    builds[id] = ["version": .string(manifest.version)]
    try Self.write(manifest.text, to: "\(folder)/\(name)-\(manifest.version).yml")
    try Self.write(YAML.text(["builds": .object(builds.sorted()), "format-version": "2"]), to: file)
  }

  private static func write(_ text: String, to path: String) throws {
    let partial = "\(path).\(getpid()).partial"
    func failure() -> DroverError {
      systemError("cannot write \(path)")
    }
    guard let file = fopen(partial, "we") else { throw failure() }
    let bytes = Array(text.utf8)
    let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
    guard fclose(file) == 0, isWritten, rename(partial, path) == 0 else {
      let error = failure()
      unlink(partial)
      throw error
    }
  }
}
