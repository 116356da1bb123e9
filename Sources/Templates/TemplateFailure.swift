/// Why the templates of an instance's jobs could not be rendered: all errors of all templates.
///
/// The texts are those of `reference/lifecycle.md` 4.1; people and tools know them from BOSH.
public struct TemplateFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The instance group whose jobs these are.
  public let instanceGroup: String
  /// The jobs that failed, in the order of the request; never empty.
  public let jobs: [JobFailure]

  public init(instanceGroup: String, jobs: [JobFailure]) {
    self.instanceGroup = instanceGroup
    self.jobs = jobs
  }

  /// The block of this instance group in a report, from "- Unable to render jobs for instance group".
  public var report: String {
    Self.block(
      "- Unable to render jobs for instance group '\(instanceGroup)'. Errors are:",
      jobs.map { trimmed($0.report) })
  }

  public var description: String { report }

  /// The report about several instance groups of one deployment (`reference/director.md` B.8).
  ///
  /// A group that failed in the same way on several instances is reported once.
  public static func report(_ failures: [TemplateFailure]) -> String {
    var seen: Set<TemplateFailure> = []
    let blocks = failures.filter { seen.insert($0).inserted }.map { trimmed($0.report) }
    return block("Unable to render instance groups for deployment. Errors are:", blocks)
  }

  /// A header with the entries below it, each of their lines indented by two.
  fileprivate static func block(_ header: String, _ entries: [String]) -> String {
    let body = trimmed(entries.joined(separator: "\n"))
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    return ([header] + lines).joined(separator: "\n")
  }
}

/// Why one job could not be rendered.
public struct JobFailure: Sendable, Hashable {
  public let jobName: String
  /// Whether it was the monit file, which ends the job before its other templates are tried.
  public let isMonit: Bool
  /// The templates that failed.
  public let errors: [TemplateError]

  public init(jobName: String, isMonit: Bool = false, errors: [TemplateError]) {
    self.jobName = jobName
    self.isMonit = isMonit
    self.errors = errors
  }

  /// The block of this job in a report; the error of a monit file stands alone.
  public var report: String {
    if isMonit { return errors.map(\.description).joined(separator: "\n") }
    return TemplateFailure.block(
      "- Unable to render templates for job '\(jobName)'. Errors are:",
      errors.map { "- \(trimmed($0.description))" })
  }
}

/// Why one template could not be rendered.
public struct TemplateError: Sendable, Hashable, CustomStringConvertible {
  /// The template's path in the job's `templates` folder, or `monit`.
  public let source: String
  /// The line of the template where it happened; nil when that is unknown.
  public let line: Int?
  /// What Ruby, or the sandbox, said.
  public let message: String

  public init(source: String, line: Int?, message: String) {
    self.source = source
    self.line = line
    self.message = message
  }

  public var description: String {
    "Error filling in template '\(source)' (line \(line.map(String.init) ?? "(unknown)"): \(message))"
  }
}

/// The text without the blanks at its ends.
private func trimmed(_ text: String) -> String {
  let isBlank: (Unicode.Scalar) -> Bool = { $0 == " " || ("\t"..."\r").contains($0) || $0 == "\0" }
  let scalars = text.unicodeScalars
  guard let first = scalars.firstIndex(where: { !isBlank($0) }),
    let last = scalars.lastIndex(where: { !isBlank($0) })
  else { return "" }
  return String(scalars[first...last])
}
