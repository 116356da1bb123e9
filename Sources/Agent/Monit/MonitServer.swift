import Formats
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
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

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

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
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .bind(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    try await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { connections in
        for try await connection in connections {
          // What one client does is nobody else's matter.
          group.addTask { try? await answer(connection) }
        }
      }
    }
  }

  private func answer(_ connection: Connection) async throws {
    try await connection.executeThenClose { parts, writer in
      var head: HTTPRequestHead?
      var body: [UInt8] = []
      for try await part in parts {
        switch part {
        case .head(let received):
          head = received
          body = []
        case .body(let bytes):
          guard body.count + bytes.readableBytes <= 64 << 10 else { return }
          body += bytes.readableBytesView
        case .end:
          guard let head else { return }
          let response = await face.answer(
            MonitFace.Request(
              method: head.method.rawValue, target: head.uri, authorization: head.headers.first(name: "authorization"),
              body: String(decoding: body, as: UTF8.self)))
          try await send(response, head, writer)
          if !head.isKeepAlive { return }
        }
      }
    }
  }

  private func send(
    _ response: MonitFace.Response, _ request: HTTPRequestHead,
    _ writer: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
  ) async throws {
    var headers = HTTPHeaders([
      ("Server", "monit \(MonitText.version)"), ("Content-Type", response.type),
      ("Content-Length", "\(response.body.utf8.count)"),
    ])
    if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
    if response.status == 401 { headers.add(name: "WWW-Authenticate", value: "Basic realm=\"monit\"") }
    try await writer.write(
      .head(HTTPResponseHead(version: request.version, status: .init(statusCode: response.status), headers: headers)))
    try await writer.write(.body(.byteBuffer(ByteBuffer(string: response.body))))
    try await writer.write(.end(nil))
  }
}

/// Who may use monit's HTTP face.
enum MonitUser {
  /// `user:password` from the file; made with a password of its own when there is none.
  static func credentials(_ path: String, surroundings: Surroundings, ownership: Ownership) throws -> String {
    let line = (Files.textIfPresent(path) ?? "").split(whereSeparator: \.isNewline).first.map(String.init)
    if let line, line.contains(":") { return line }
    let made = "vcap:\(Hex.encode(surroundings.randomBytes(16)))"
    try ownership.file(path, Array("\(made)\n".utf8), 0o600)
    return made
  }
}
