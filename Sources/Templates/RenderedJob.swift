/// The files that a job's templates became.
public struct RenderedJob: Sendable, Hashable {
  public var jobName: String
  public var monit: [UInt8]
  /// One for each template, in the order of the request.
  public var files: [RenderedFile]
  /// The text of `.bosh/links.json`.
  public var linksJSON: [UInt8]

  public init(jobName: String, monit: [UInt8], files: [RenderedFile], linksJSON: [UInt8]) {
    self.jobName = jobName
    self.monit = monit
    self.files = files
    self.linksJSON = linksJSON
  }
}

/// A rendered template.
public struct RenderedFile: Sendable, Hashable {
  /// The template's path in the job's `templates` folder.
  public var source: String
  /// The file's path in the job's folder on the instance.
  public var destination: String
  public var content: [UInt8]

  public init(source: String, destination: String, content: [UInt8]) {
    self.source = source
    self.destination = destination
    self.content = content
  }
}
