import HTTPService
import Synchronization
import TestSupport

/// A server that records what it is asked, and answers as a test says.
final class ScriptedServer: Sendable {
  struct Answer: Sendable {
    var status: Int
    var body = ""
    /// Asks for a user and a password.
    var realm: String?
  }

  private let state = Mutex((requests: [String](), answers: [Answer](), last: Answer(status: 200)))

  /// - Parameter answers: one after the other; the last one is given again and again.
  init(_ answers: [Answer]) {
    state.withLock { state in
      state.answers = answers
      state.last = answers.last ?? Answer(status: 200)
    }
  }

  /// `METHOD TARGET BODY`, and `AUTHORIZATION` before it when there was one.
  var requests: [String] { state.withLock { $0.requests } }

  func answer(_ request: HTTPRequest, _ body: HTTPBody) async -> HTTPReply {
    let bytes = (try? await body.collect(limit: 1 << 20)) ?? []
    var text = "\(request.method) \(request.target)"
    if let authorization = request.header("Authorization") { text = "\(authorization) \(text)" }
    if !bytes.isEmpty { text += " " + String(decoding: bytes, as: UTF8.self) }
    let line = text
    let answer = state.withLock { state in
      state.requests.append(line)
      return state.answers.isEmpty ? state.last : state.answers.removeFirst()
    }
    let reply = HTTPReply.text(answer.status, answer.body)
    return answer.realm.map { reply.with("WWW-Authenticate", "Basic realm=\"\($0)\"") } ?? reply
  }

  /// Runs a test with the server's URL.
  func serve(_ test: @Sendable (String) async throws -> Void) async throws {
    try await withService({ request, body in await self.answer(request, body) }) { port in
      try await test("http://127.0.0.1:\(port)")
    }
  }
}
