import Files
import Formats
import Glibc
import HTTPService
import Logging
import Processes
import Surroundings

/// The agent's own door for whoever creates a machine without a director: messages under `/agent`, and blobs, which have
/// no other place yet (reference/agent.md 6).
struct HTTPSEndpoint: Sendable {
  let url: EndpointURL
  let tls: HTTPService.TLS
  let layout: VMLayout
  let ownership: Ownership
  let surroundings: Surroundings
  let audit: AuditLog
  let logger: Logger

  /// What a request is about.
  enum Route: Sendable, Hashable {
    case message
    case getBlob(String)
    case putBlob(String)
    case nothing

    /// - Parameter path: of a blob the last part counts, since clients put folders before it.
    init(_ method: String, _ path: String) {
      self = .nothing
      if path == "/agent" {
        if method == "POST" { self = .message }
        return
      }
      guard path.hasPrefix("/blobs/"), let name = path.split(separator: "/", omittingEmptySubsequences: false).last,
        let id = try? SafeName.component(String(name), "blob id")
      else { return }
      switch method {
      case "GET", "HEAD": self = .getBlob(id)
      case "PUT": self = .putBlob(id)
      default: break
      }
    }
  }

  static let maximumMessage = 64 << 20

  /// Serves until the task is cancelled.
  func run(_ loop: MessageLoop, onReady: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
    let service = try HTTPService(.init(address: url.host, port: url.port ?? 443, tls: tls))
    try await service.run { request, body in
      let reply = await answer(request, body, loop)
      let user = BasicCredentials.user(of: request)
      let peer = (request.peer.address, request.peer.port)
      audit.write(.request(request, user: user, peer: peer, status: reply.status))
      return reply
    } onReady: { port in
      logger.info("taking messages over HTTPS", metadata: ["address": "\(url.host)", "port": "\(port)"])
      onReady(port)
    }
  }

  private func answer(_ request: HTTPRequest, _ body: HTTPBody, _ loop: MessageLoop) async -> HTTPReply {
    guard url.credentials?.match(request) == true else {
      logger.warning("a request without the right user and password", metadata: ["path": "\(request.path.prefix(200))"])
      return HTTPReply(401).with("WWW-Authenticate", "Basic realm=\"\"")
    }
    do {
      switch Route(request.method, request.path) {
      case .message:
        guard let response = await loop.answer(try await body.collect(limit: Self.maximumMessage)) else {
          return HTTPReply(500)
        }
        return HTTPReply(200, response, type: "application/json")
      case .getBlob(let id):
        let path = "\(layout.blobs)/\(id)"
        return try FileFacts(path)?.kind == .file ? try await .file(path) : HTTPReply(404)
      case .putBlob(let id):
        try await keep(id, body)
        return HTTPReply(201)
      case .nothing: return HTTPReply(404)
      }
    } catch let error as DroverError where error.code == .tooLarge {
      return .text(413, error.message)
    } catch {
      logger.error(
        "a request failed", metadata: ["path": "\(request.path.prefix(200))", "error": "\(error)"])
      return HTTPReply(500)
    }
  }

  /// Whole or not at all.
  private func keep(_ id: String, _ body: HTTPBody) async throws {
    let (layout, ownership) = (layout, ownership)
    let new = try await blocking {
      try ownership.folderIfMissing(layout.blobs, 0o700)
      return try NewFile("\(layout.blobs)/\(id)", mode: 0o600)
    }
    while let bytes = try await body.next() { try await blocking { try new.file.write(bytes) } }
    try await blocking {
      try new.file.sync()
      try new.replace()
    }
  }
}
