import Formats

/// What the process of a job is asked and what it answers; `RubyProgram.rendering` says how both look.
enum JobFrames {
  static func request(_ job: JobRenderRequest) -> [UInt8] {
    let spec = JSON.bytes(job.spec)
    let templates = [("monit", job.monit)] + job.templates.map { ($0.source, $0.content) }
    let header: Value = [
      "job": .string(job.jobName),
      "spec": .int(spec.count),
      "templates": .array(templates.map { ["source": .string($0.0), "size": .int($0.1.count)] }),
    ]
    return templates.reduce(JSON.bytes(header) + [UInt8(ascii: "\n")] + spec) { $0 + $1.1 }
  }

  /// What became of a template.
  enum Frame: Sendable, Hashable {
    case rendered([UInt8])
    case failed(line: Int?, message: String)
  }

  struct Answer: Sendable, Hashable {
    enum End: Sendable, Hashable {
      /// As it should.
      case complete
      /// The bytes stop inside the answer.
      case cut
      /// There are bytes that are no answer: the templates can write to the socket, too.
      case garbage
      /// The sandbox could not be completed, so nothing was tried.
      case refused(String)
    }

    var frames: [Frame] = []
    var end = End.cut

    init(_ bytes: [UInt8]) {
      var rest = bytes[...]
      while let kind = rest.popFirst() {
        if kind == UInt8(ascii: ".") {
          end = rest.isEmpty ? .complete : .garbage
          return
        }
        guard "=!?".utf8.contains(kind) else {
          end = .garbage
          return
        }
        let size = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard rest.count >= 4 + size else { return }
        let content = Array(rest.dropFirst(4).prefix(size))
        rest = rest.dropFirst(4 + size)
        switch kind {
        case UInt8(ascii: "="): frames.append(.rendered(content))
        case UInt8(ascii: "!"): frames.append(Self.failure(content))
        default:
          end = .refused(String(decoding: content, as: UTF8.self))
          return
        }
      }
    }

    private static func failure(_ content: [UInt8]) -> Frame {
      let parts = content.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
      return .failed(
        line: parts.first.flatMap { Int(String(decoding: $0, as: UTF8.self)) },
        message: parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : "")
    }
  }
}
