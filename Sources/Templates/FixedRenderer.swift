/// A renderer without Ruby, for simulations: a template without Ruby tags is its own result.
public struct FixedRenderer: TemplateRenderer {
  public init() {}

  /// - Throws: ``TemplateFailure`` naming each template that has a Ruby tag.
  public func render(_ request: GroupRenderRequest) async throws -> [RenderedJob] {
    let failures = request.jobs.compactMap(Self.failure(of:))
    guard failures.isEmpty else { throw TemplateFailure(instanceGroup: request.instanceGroup, jobs: failures) }
    return request.jobs.map { job in
      RenderedJob(
        jobName: job.jobName, monit: job.monit,
        files: job.templates.map { RenderedFile(source: $0.source, destination: $0.destination, content: $0.content) },
        linksJSON: LinksFile.content(job.providedLinks))
    }
  }

  private static func failure(of job: JobRenderRequest) -> JobFailure? {
    if let error = error(in: job.monit, "monit") {
      return JobFailure(jobName: job.jobName, isMonit: true, errors: [error])
    }
    let errors = job.templates.compactMap { error(in: $0.content, $0.source) }
    return errors.isEmpty ? nil : JobFailure(jobName: job.jobName, errors: errors)
  }

  private static func error(in content: [UInt8], _ source: String) -> TemplateError? {
    var line = 1
    for (byte, next) in zip(content, content.dropFirst()) {
      if byte == UInt8(ascii: "<"), next == UInt8(ascii: "%") {
        return TemplateError(source: source, line: line, message: "this renderer has no Ruby; remove the tag")
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
    }
    return nil
  }
}
