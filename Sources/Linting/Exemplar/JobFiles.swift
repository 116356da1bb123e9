internal import Formats
internal import Processes

/// A new job: its files, by their paths below the job's folder.
public struct JobFiles: Sendable {
  public let name: String
  public let files: [(path: String, text: String)]

  /// What `bosh generate-job` makes: a spec without anything, and an empty monit file.
  public static func skeleton(_ name: String) throws -> JobFiles {
    try JobFiles(
      name,
      [
        ("spec", "---\nname: \(name)\n\ntemplates: {}\n\npackages: []\n\nproperties: {}\n"),
        ("monit", ""),
      ])
  }

  /// A job that follows every rule and runs as it is, with a program that stands in for the real one.
  public static func exemplar(_ name: String) throws -> JobFiles {
    try JobFiles(
      name,
      ExemplarScripts.all.map { path, text in
        var text = text
        while let range = text.firstRange(of: "JOB_NAME") { text.replaceSubrange(range, with: name) }
        return (path, text)
      })
  }

  private init(_ name: String, _ files: [(path: String, text: String)]) throws {
    try NameRule("job name", extra: NameRule.artifact.extra).check(name)
    self.name = name
    self.files = files
  }

  /// Writes them into a release folder.
  ///
  /// - Parameter folder: Absolute.
  /// - Returns: What was written, below the release's folder.
  /// - Throws: ``Formats/DroverError`` with code `conflict` when there is such a job already, and `not_found` when this
  ///   is no release folder.
  @discardableResult
  public func write(into folder: String) throws -> [String] {
    guard Files.exists("\(folder)/config/final.yml") || Files.exists("\(folder)/jobs") else {
      throw DroverError(
        .notFound, "making a job in \(folder): it is no release folder, there is neither config/final.yml nor jobs/")
    }
    let job = "\(folder)/jobs/\(name)"
    guard !Files.exists(job) else { throw DroverError(.conflict, "making the job \(name): \(job) is there already") }
    try Files.makeFolder("\(job)/templates")
    return try files.map { path, text in
      if let slash = path.lastIndex(of: "/") { try Files.makeFolder("\(job)/\(path[..<slash])") }
      _ = try Files.create("\(job)/\(path)", with: Array(text.utf8), mode: 0o644)
      return "jobs/\(name)/\(path)"
    }
  }
}
