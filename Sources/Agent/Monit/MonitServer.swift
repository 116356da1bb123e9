import Files
import Formats
import HTTPService
import Logging
import Processes
import Supervision
import Surroundings

/// Serves monit's HTTP face on the loopback interface: for the `monit` command, for scripts, and for agents that want a
/// monit.
struct MonitServer: Sendable {
  let face: MonitFace
  let port: Int
  let surroundings: Surroundings
  let logger: Logger

  /// Serves until the task is cancelled. A port that is taken is no reason not to supervise: it is said, and tried again.
  func run() async {
    while !Task.isCancelled {
      do {
        try await serve()
      } catch is CancellationError {
        return
      } catch {
        logger.warning(
          "cannot serve monit's HTTP interface", metadata: ["port": "\(port)", "error": .string("\(error)")])
      }
      guard (try? await surroundings.sleep(.seconds(60))) != nil else { return }
    }
  }

  private func serve() async throws {
    var configuration = HTTPService.Configuration(address: "127.0.0.1", port: port)
    // A command waits for as long as a service takes to start or to stop, and hears nothing meanwhile.
    configuration.idleTimeout = .seconds(86_400)
    try await HTTPService(configuration).run { await answer($0, $1) }
  }

  private func answer(_ request: HTTPRequest, _ body: HTTPBody) async -> HTTPReply {
    guard let bytes = try? await body.collect(limit: 64 << 10) else {
      return .text(413, "the form is longer than 64 KiB, or broke off\n")
    }
    let response = await face.answer(
      MonitFace.Request(
        method: request.method, target: request.target, authorization: request.header("Authorization"),
        body: String(decoding: bytes, as: UTF8.self)))
    let reply = HTTPReply(response.status, Array(response.body.utf8), type: response.type)
      .with("Server", "monit \(MonitText.version)")
    return response.status == 401 ? reply.with("WWW-Authenticate", "Basic realm=\"monit\"") : reply
  }
}

/// Who may use monit's HTTP face.
enum MonitUser {
  /// `user:password` from the file; made with a password of its own when there is none.
  static func credentials(_ path: String, surroundings: Surroundings, ownership: Ownership) throws -> String {
    let line = try (Files.text(path) ?? "").split(whereSeparator: \.isNewline).first.map(String.init)
    if let line, line.contains(":") { return line }
    let made = "vcap:\(Hex.encode(surroundings.randomBytes(16)))"
    try ownership.file(path, Array("\(made)\n".utf8), 0o600)
    return made
  }
}
