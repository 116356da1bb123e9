import Formats

/// How the process of a job ended.
struct JobEnd: Sendable, Hashable {
  /// It was killed because its time was up.
  var late = false
  /// Its exit status, unless a signal ended it.
  var status: Int?
  var signal: Int?
}

enum JobResult: Sendable, Hashable {
  case rendered(RenderedJob)
  case failed(JobFailure)
}

/// What a job's answer and the end of its process mean.
struct JobOutcome {
  let job: JobRenderRequest
  let configuration: RendererConfiguration

  /// - Parameter tooLarge: whether reading stopped because the answer is larger than allowed.
  /// - Throws: `DroverError` when the sandbox could not be completed.
  func decide(_ answer: JobFrames.Answer, tooLarge: Bool, end: JobEnd) throws -> JobResult {
    if case .refused(let reason) = answer.end {
      throw DroverError(
        .unavailable, "rendering the templates of job '\(job.jobName)': the sandbox could not be completed: \(reason)")
    }
    let sources = ["monit"] + job.templates.map(\.source)
    var errors: [TemplateError] = []
    var contents: [[UInt8]] = []
    for (source, frame) in zip(sources, answer.frames) {
      switch frame {
      case .rendered(let content): contents.append(content)
      case .failed(let line, let message): errors.append(TemplateError(source: source, line: line, message: message))
      }
      if !errors.isEmpty, contents.isEmpty, answer.end == .complete, answer.frames.count == 1 {
        return .failed(JobFailure(jobName: job.jobName, isMonit: true, errors: errors))
      }
    }
    if answer.end != .complete || answer.frames.count != sources.count {
      let place = min(answer.frames.count, sources.count - 1)
      errors.append(
        TemplateError(source: sources[place], line: nil, message: reason(answer, tooLarge: tooLarge, end: end)))
      return .failed(JobFailure(jobName: job.jobName, isMonit: place == 0, errors: errors))
    }
    guard errors.isEmpty else { return .failed(JobFailure(jobName: job.jobName, errors: errors)) }
    return .rendered(
      RenderedJob(
        jobName: job.jobName, monit: contents[0],
        files: zip(job.templates, contents.dropFirst()).map {
          RenderedFile(source: $0.source, destination: $0.destination, content: $1)
        },
        linksJSON: LinksFile.content(job.providedLinks)))
  }

  /// Why there is no answer, or not a whole one.
  private func reason(_ answer: JobFrames.Answer, tooLarge: Bool, end: JobEnd) -> String {
    if tooLarge {
      return "the files of the job are larger than the \(configuration.outputLimit) bytes that are allowed"
    }
    if end.late {
      return
        "the templates of the job took longer than the \(configuration.timeLimit) that are allowed, and were stopped"
    }
    if answer.end == .garbage || answer.end == .complete {
      return "the process that renders the job answered with something that is not a result"
    }
    switch end.signal {
    case 24: return "the templates of the job used more processor time than is allowed, and were stopped"
    case .some(let signal): return "the process that renders the job was ended by signal \(signal)"
    case nil: return "the process that renders the job ended with status \(end.status ?? 0) before it had a result"
    }
  }
}
