internal import Files
internal import Formats
internal import Releases

/// A job of a release folder, `jobs/NAME`, or an errand, `errands/NAME`: its spec, its templates, and of a job its monit
/// file.
struct JobFolder {
  private let folder: String
  private let name: String
  private let kind: JobKind

  /// - Parameter folder: Absolute path.
  init(_ folder: String, _ name: String, _ kind: JobKind) {
    self.folder = folder
    self.name = name
    self.kind = kind
  }

  /// - Throws: ``Formats/DroverError`` that names the file: an error in the spec, a template that is missing, an errand
  ///   without script.
  func artifact() throws -> Artifact {
    let file = "\(folder)/spec"
    let spec = try JobSpec(Self.part(file), file: file)
    guard spec.name == name else {
      throw DroverError(.invalid, "\(file): name: is '\(spec.name)', but the \(kind.rawValue)'s folder is '\(name)'")
    }
    do {
      try spec.check(as: kind)
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)")
    }
    var files = [try SourceFile(file, as: "job.MF", followsLinks: true)]
    files += kind == .errand ? try errandFiles() : [try monit()]
    if try Files.isThere("\(folder)/properties_schema.json") {
      files.append(
        try SourceFile("\(folder)/properties_schema.json", as: "properties_schema.json", followsLinks: true))
    }
    for template in spec.templates {
      let path = "templates/\(template.source)"
      guard try Files.isThere("\(folder)/\(path)") else {
        throw DroverError(.invalid, "\(file): templates.\(template.source): there is no file \(path)")
      }
      files.append(try SourceFile("\(folder)/\(path)", as: path, followsLinks: true))
    }
    return Artifact(name: name, kind: kind, files: files, packages: spec.packages)
  }

  private func monit() throws -> SourceFile {
    guard try Files.isThere("\(folder)/monit") else {
      throw DroverError(.invalid, "\(folder): job '\(name)' has no file monit; it may be empty")
    }
    return try SourceFile("\(folder)/monit", as: "monit", followsLinks: true)
  }

  /// The mark, and the empty monit file without which a director that knows only jobs refuses the archive.
  private func errandFiles() throws -> [SourceFile] {
    if try Files.isThere("\(folder)/monit"),
      try Files.read("\(folder)/monit").contains(where: { !$0.isWhitespace })
    {
      throw DroverError(
        .invalid,
        "\(folder): errand '\(name)' has a file monit; errands are not supervised: remove it, or make it a job")
    }
    return [
      SourceFile(content: [], as: "monit"), SourceFile(content: Array("version: 1\n".utf8), as: JobKind.errandMark),
    ]
  }

  /// A file without which something is no part of a release.
  static func part(_ path: String) throws -> [UInt8] {
    guard let bytes = try Files.bytes(path) else { throw DroverError(.invalid, "\(path): there is no such file") }
    return bytes
  }
}

extension UInt8 {
  fileprivate var isWhitespace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
