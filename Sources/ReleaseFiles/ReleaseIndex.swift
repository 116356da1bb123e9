internal import Files
internal import Formats
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
    guard let bytes = try Files.bytes(file) else {
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
    try Files.makeFolder(folder)
    let file = "\(folder)/index.yml"
    var builds = ValueObject()
    if let bytes = try Files.bytes(file) {
      builds = try YAML.parse(bytes, file: file)["builds"]?.object ?? builds
    }
    builds[id] = ["version": .string(manifest.version)]
    try Self.write(manifest.text, to: "\(folder)/\(name)-\(manifest.version).yml")
    try Self.write(YAML.text(["builds": .object(builds.sorted()), "format-version": "2"]), to: file)
  }

  private static func write(_ text: String, to path: String) throws {
    let new = try NewFile(path, mode: 0o666)
    try new.file.write(Array(text.utf8))
    try new.replace()
  }
}
