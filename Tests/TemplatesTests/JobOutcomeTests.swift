import Formats
import Testing

@testable import Templates

@Suite struct JobOutcomeTests {
  static let job = JobRenderRequest(
    jobName: "job", monit: [], templates: [JobTemplate(source: "a.erb", destination: "a", content: [])], spec: [:])

  static func decide(
    _ answer: String, tooLarge: Bool = false, end: JobEnd = JobEnd(status: 0)
  ) throws -> JobResult {
    try JobOutcome(job: job, configuration: RendererConfiguration(timeLimit: .seconds(10), outputLimit: 1000))
      .decide(JobFrames.Answer(Array(answer.utf8)), tooLarge: tooLarge, end: end)
  }

  @Test("a whole answer is the job's files")
  func whole() throws {
    let file = RenderedFile(source: "a.erb", destination: "a", content: Array("xy".utf8))
    #expect(
      try Self.decide("=\0\0\0\u{1}m=\0\0\0\u{2}xy.")
        == .rendered(
          RenderedJob(jobName: "job", monit: [UInt8(ascii: "m")], files: [file], linksJSON: Array("[]\n".utf8))))
  }

  static let failures: [(answer: String, source: String, line: Int?, message: String)] = [
    ("!\0\0\0\u{4}7\nno.", "monit", 7, "no"),
    ("=\0\0\0\0!\0\0\0\u{5}\nno\nx.", "a.erb", nil, "no\nx"),
    ("=\0\0\0\0!\0\0\0\0.", "a.erb", nil, ""),
    ("", "monit", nil, "the process that renders the job ended with status 0 before it had a result"),
    ("=", "monit", nil, "the process that renders the job ended with status 0 before it had a result"),
    ("=\0\0\0\u{9}abc", "monit", nil, "the process that renders the job ended with status 0 before it had a result"),
    ("=\0\0\0\0", "a.erb", nil, "the process that renders the job ended with status 0 before it had a result"),
    ("=\0\0\0\0=\0\0\0\0", "a.erb", nil, "the process that renders the job ended with status 0 before it had a result"),
    ("=\0\0\0\0.", "a.erb", nil, "the process that renders the job answered with something that is not a result"),
    (".", "monit", nil, "the process that renders the job answered with something that is not a result"),
    ("x", "monit", nil, "the process that renders the job answered with something that is not a result"),
    (
      "=\0\0\0\0=\0\0\0\0.x", "a.erb", nil,
      "the process that renders the job answered with something that is not a result"
    ),
    (
      "=\0\0\0\0=\0\0\0\0=\0\0\0\0.", "a.erb", nil,
      "the process that renders the job answered with something that is not a result"
    ),
  ]

  @Test("anything else is an error of the template it happened in", arguments: failures)
  func broken(_ answer: String, _ source: String, _ line: Int?, _ message: String) throws {
    guard case .failed(let failure) = try Self.decide(answer) else {
      Issue.record("rendered")
      return
    }
    #expect(failure.errors == [TemplateError(source: source, line: line, message: message)])
    #expect(failure.isMonit == (source == "monit"))
  }

  @Test("the reason for a missing answer is the first wall that the job met")
  func reasons() throws {
    func message(tooLarge: Bool = false, _ end: JobEnd) throws -> String? {
      guard case .failed(let failure) = try Self.decide("=\0\0\0\0", tooLarge: tooLarge, end: end) else { return nil }
      return failure.errors.first?.message
    }
    #expect(
      try message(tooLarge: true, JobEnd(signal: 9))
        == "the files of the job are larger than the 1000 bytes that are allowed")
    #expect(
      try message(JobEnd(late: true, signal: 9))
        == "the templates of the job took longer than the 10.0 seconds that are allowed, and were stopped")
    #expect(
      try message(JobEnd(signal: 24))
        == "the templates of the job used more processor time than is allowed, and were stopped")
    #expect(try message(JobEnd(signal: 9)) == "the process that renders the job was ended by signal 9")
  }

  @Test("an incomplete sandbox is no fault of the template")
  func refused() throws {
    let error = #expect(throws: DroverError.self) { try Self.decide("?\0\0\0\u{2}no") }
    #expect(error?.code == .unavailable)
  }
}
