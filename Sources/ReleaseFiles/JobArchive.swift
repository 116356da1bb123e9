public import Archives
public import Formats
public import Releases

/// What a job's archive holds: `job.MF`, `monit`, `templates/…`, perhaps `properties_schema.json`, and in that of an
/// errand the mark of one. All of it is text and small, so it is read into memory.
public struct JobArchive: Sendable {
  public let spec: JobSpec
  /// `job.MF` as it was written.
  public let document: Value
  /// Every file by its path in the archive, such as `templates/ctl.erb`.
  public let files: [String: [UInt8]]
  private let label: String

  /// - Parameters:
  ///   - file: Absolute path.
  ///   - label: What to call it in errors; nil is the path.
  /// - Throws: ``Formats/DroverError`` that names the archive, the file in it, and the field.
  public init(_ file: String, label: String? = nil, limits: ArchiveLimits = .small) throws {
    let label = label ?? file
    self.label = label
    let limits = ArchiveLimits(
      totalBytes: min(limits.totalBytes, ArchiveLimits.small.totalBytes),
      entries: min(limits.entries, ArchiveLimits.small.entries))
    let reader = try ArchiveReader(label: label, limits: limits, file: file)
    var files: [String: [UInt8]] = [:]
    while let entry = try reader.next() {
      let parts: [String]
      do {
        parts = try EntryPath.inside(entry.path)
      } catch let error as DroverError {
        throw DroverError(error.code, "\(label): \(error.message)")
      }
      switch entry.kind {
      case .directory: continue
      case .file: files[parts.joined(separator: "/")] = try reader.readAll(atMost: limits.totalBytes)
      default:
        throw DroverError(.invalid, "\(label): entry '\(entry.path)': a job's archive holds only files and folders")
      }
    }
    try reader.finish()
    self.files = files
    guard let text = files["job.MF"] else { throw DroverError(.invalid, "\(label): has no job.MF") }
    document = try YAML.parse(text, file: "\(label): job.MF")
    do {
      spec = try JobSpec(document)
    } catch let error as DroverError {
      throw DroverError(error.code, "\(label): job.MF: \(error.message)", cause: error.cause)
    }
  }

  public var kind: JobKind { files[JobKind.errandMark] == nil ? .job : .errand }

  /// `monit`, which may be empty.
  public var monit: [UInt8]? { files["monit"] }

  /// The source of a template.
  public func template(_ source: String) -> [UInt8]? { files["templates/\(source)"] }

  /// That it is the job it should be, and that all it speaks of is there.
  ///
  /// - Throws: ``Formats/DroverError`` with code `invalid`.
  public func check(name: String) throws {
    guard spec.name == name else {
      throw DroverError(.invalid, "\(label): job.MF: name: is '\(spec.name)', but the release calls the job '\(name)'")
    }
    do {
      try spec.check(as: kind)
    } catch let error as DroverError {
      throw DroverError(error.code, "\(label): job.MF: \(error.message)")
    }
    guard monit != nil else { throw DroverError(.invalid, "\(label): has no file monit; it may be empty") }
    for template in spec.templates where self.template(template.source) == nil {
      throw DroverError(
        .invalid, "\(label): job.MF: templates.\(template.source): there is no file templates/\(template.source)")
    }
  }
}
