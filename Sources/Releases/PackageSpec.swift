internal import Formats

/// A package's `spec` file in a release folder.
public struct PackageSpec: Sendable, Hashable {
  public var name: String
  public var dependencies: [String]
  /// Patterns of files below `src/` and `blobs/`.
  public var files: [String]
  /// Patterns of what is left out of them.
  public var excludedFiles: [String]
  public var noCompression: Bool

  /// - Parameter file: What to call it in errors.
  /// - Throws: ``Formats/DroverError`` with code `invalid` that names the file and the field.
  public init(_ text: [UInt8], file: String) throws {
    let document = try YAML.parse(text, file: file)
    do {
      let fields = try FieldReader(document)
      name = try fields.scalarText("name")
      try NameRule("package name", extra: NameRule.artifact.extra).check(name)
      dependencies = try fields.strings("dependencies")
      files = try fields.strings("files")
      excludedFiles = try fields.strings("excluded_files")
      noCompression = try fields.optionalBool("no_compression") ?? false
      for (key, patterns) in [("files", files), ("excluded_files", excludedFiles)] {
        for (index, pattern) in patterns.enumerated() {
          let parts = pattern.split(separator: "/", omittingEmptySubsequences: false)
          guard !pattern.isEmpty, !pattern.hasPrefix("/"), !parts.contains("..") else {
            throw fields.error("\(key)[\(index)]", "'\(pattern)' leaves src/; expected a relative pattern without '..'")
          }
          _ = try Glob(pattern)
        }
      }
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
  }
}
