import Files
internal import Formats
public import Releases

/// A new job or errand: its files, by their paths below its folder.
public struct JobFiles: Sendable {
  public let name: String
  public let kind: JobKind
  public let files: [(path: String, text: String)]

  /// What `bosh generate-job` makes: a spec without anything, and an empty monit file.
  public static func skeleton(_ name: String) throws -> JobFiles {
    try JobFiles(
      name, .job,
      [
        ("spec", "---\nname: \(name)\n\ntemplates: {}\n\npackages: []\n\nproperties: {}\n"),
        ("monit", ""),
      ])
  }

  /// A job that follows every rule and runs as it is, with a program that stands in for the real one.
  public static func exemplar(_ name: String) throws -> JobFiles {
    try JobFiles(
      name, .job,
      ExemplarScripts.all.map { path, text in
        var text = text
        while let range = text.firstRange(of: "JOB_NAME") { text.replaceSubrange(range, with: name) }
        return (path, text)
      })
  }

  /// An errand that runs as it is and prints what it was given.
  public static func errand(_ name: String) throws -> JobFiles {
    let script = """
      #!/bin/bash
      # What stands behind the errand's name on the command line arrives as "$@"; the exit code is the command's.
      set -eu -o pipefail

      echo "\(name) was run with $# arguments: $*"

      """
    return try JobFiles(
      name, .errand,
      [
        ("spec", "---\nname: \(name)\n\ntemplates:\n  execute: execute\n\npackages: []\n\nproperties: {}\n"),
        ("templates/execute", script),
      ])
  }

  private init(_ name: String, _ kind: JobKind, _ files: [(path: String, text: String)]) throws {
    try NameRule("\(kind.rawValue) name", extra: NameRule.artifact.extra).check(name)
    self.name = name
    self.kind = kind
    self.files = files
  }

  /// Writes them into a release folder.
  ///
  /// - Parameter folder: Absolute.
  /// - Returns: What was written, below the release's folder.
  /// - Throws: ``Formats/DroverError`` with code `conflict` when there is such a job or errand already, and `not_found` when this
  ///   is no release folder.
  @discardableResult
  public func write(into folder: String) throws -> [String] {
    guard try Files.exists("\(folder)/config/final.yml") || Files.exists("\(folder)/jobs") else {
      throw DroverError(
        .notFound, "making \(name) in \(folder): it is no release folder, there is neither config/final.yml nor jobs/")
    }
    for other in [JobKind.job, .errand].map({ "\(folder)/\($0.folder)/\(name)" }) where try Files.exists(other) {
      throw DroverError(.conflict, "making the \(kind.rawValue) \(name): \(other) is there already")
    }
    let job = "\(folder)/\(kind.folder)/\(name)"
    try Files.makeFolder("\(job)/templates")
    return try files.map { path, text in
      if let slash = path.lastIndex(of: "/") { try Files.makeFolder("\(job)/\(path[..<slash])") }
      _ = try Files.create("\(job)/\(path)", with: Array(text.utf8), mode: 0o644)
      return "\(kind.folder)/\(name)/\(path)"
    }
  }
}
