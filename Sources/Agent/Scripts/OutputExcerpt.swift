import AgentProtocol
import Processes

/// What a script printed, as much of it as fits into a result: all, or head and tail of each stream
/// (reference/agent.md 24: never an oversize reply).
struct OutputExcerpt: Sendable, Hashable {
  let stdout: String
  let stderr: String

  /// - Parameter limit: bytes of both together; a stream that needs less leaves its room to the other.
  static func read(_ script: RunningScript, limit: Int = AgentLimits.maximumResultOutputBytes) throws -> OutputExcerpt {
    let out = script.outputSize(.stdout)
    let err = script.outputSize(.stderr)
    let outRoom = max(limit / 2, limit - err)
    let errRoom = max(limit / 2, limit - out)
    return OutputExcerpt(
      stdout: try text(script, .stdout, size: out, room: outRoom),
      stderr: try text(script, .stderr, size: err, room: errRoom))
  }

  private static func text(_ script: RunningScript, _ stream: OutputStream, size: Int, room: Int) throws -> String {
    let gap = script.gap(stream)
    if gap == nil, size <= room {
      return String(decoding: try script.readOutput(stream, offset: 0, maximum: room), as: UTF8.self)
    }
    let headSize = min(room / 2, gap?.lowerBound ?? .max)
    let tailSize = min(room / 2, gap.map { size - $0.upperBound } ?? .max)
    let head = try script.readOutput(stream, offset: 0, maximum: headSize)
    let tail = try script.readOutput(stream, offset: size - tailSize, maximum: tailSize)
    return String(decoding: head, as: UTF8.self) + AgentTexts.truncationMark + String(decoding: tail, as: UTF8.self)
  }
}
