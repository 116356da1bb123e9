public import Formats
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A small HTTP/1.1 server, with TLS when it is given a certificate: what an agent without a director and a registry of
/// settings need, and no more. Every connection is a task; bodies are streamed with backpressure.
///
/// ```swift
/// let service = HTTPService(.init(address: "127.0.0.1", port: 0))
/// try await service.run { request, body in .text(200, "hello") } onReady: { port in … }
/// ```
public struct HTTPService: Sendable {
  public struct Configuration: Sendable {
    /// `0.0.0.0` listens everywhere.
    public var address: String
    /// 0 lets the system choose one.
    public var port: Int
    public var tls: TLS?
    /// A connection on which nothing moves for so long is closed.
    public var idleTimeout: Duration = .seconds(600)
    /// From the first byte of a request, or from the beginning of a connection, to the end of the request's fields.
    public var headTimeout: Duration = .seconds(30)
    /// Further connections are closed at once.
    public var maximumConnections = 512

    public init(address: String, port: Int, tls: TLS? = nil) {
      self.address = address
      self.port = port
      self.tls = tls
    }
  }

  /// The server's own certificate, perhaps followed by intermediates, and its key, in PEM.
  public struct TLS: Sendable {
    public var certificatePEM: String
    public var key: Secret

    public init(certificatePEM: String, key: Secret) {
      self.certificatePEM = certificatePEM
      self.key = key
    }
  }

  /// Answers one request. It may read the body, or leave it.
  public typealias Handler = @Sendable (HTTPRequest, HTTPBody) async -> HTTPReply

  private let configuration: Configuration
  private let context: NIOSSLContext?

  /// - Throws: ``DroverError`` with code `invalid` when certificate and key cannot be used.
  public init(_ configuration: Configuration) throws {
    self.configuration = configuration
    context = try configuration.tls.map(Self.context)
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter onReady: called with the port once connections are taken.
  /// - Throws: ``DroverError`` with code `unavailable` when it cannot listen.
  public func run(_ handler: @escaping Handler, onReady: @Sendable (Int) -> Void = { _ in }) async throws {
    let server = try await listen()
    onReady(server.channel.localAddress?.port ?? configuration.port)
    try await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { connections in
        let places = Places(configuration.maximumConnections)
        for try await connection in connections {
          let hasPlace = places.take()
          group.addTask {
            if hasPlace { await Self.serve(connection, handler) } else { await Self.refuse(connection) }
            if hasPlace { places.leave() }
          }
        }
      }
      group.cancelAll()
    }
  }

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

  private func listen() async throws -> NIOAsyncChannel<Connection, Never> {
    let (context, idle) = (context, TimeAmount(configuration.idleTimeout))
    let headLimit = TimeAmount(configuration.headTimeout)
    do {
      return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: configuration.address, port: configuration.port) { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
            try pipeline.addHandlers([IdleStateHandler(allTimeout: idle), CloseWhenIdle()])
            let deadline = HeadDeadline(limit: headLimit)
            try pipeline.addHandler(deadline)
            // Requests are taken one after the other anyway; what is no HTTP is answered with 400, also when an answer
            // is under way or behind it, which the assistance would take for a mistake of ours.
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: true)
            try pipeline.addHandler(HeadDeadline.Watch(deadline))
            return try Connection(wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw DroverError(
        .unavailable, "listening on \(configuration.address):\(configuration.port)", cause: error)
    }
  }

  /// What goes wrong on a connection ends that connection, and nothing else.
  private static func serve(_ connection: Connection, _ handler: Handler) async {
    let peer = connection.channel.remoteAddress
    try? await connection.executeThenClose { inbound, outbound in
      let parts = HTTPParts(inbound.makeAsyncIterator(), outbound)
      while let head = try await parts.nextHead() {
        let body = HTTPBody(parts, expectsContinue: head.headers.first(name: "expect")?.lowercased() == "100-continue")
        let reply = await handler(HTTPRequest(head, peer: peer), body)
        // What is left of a body that nobody wanted is read away if that is quick; else the connection is of no more use.
        let isReusable = head.isKeepAlive && body.mayBeSkipped
        try await reply.send(for: head, keepAlive: isReusable, outbound)
        guard isReusable, try await skip(body, connection.channel) else { return }
      }
    }
  }

  /// Whoever sends slowly what nobody wants is not waited for.
  private static func skip(_ body: HTTPBody, _ channel: any Channel) async throws -> Bool {
    let limit = channel.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
    defer { limit.cancel() }
    return try await body.skip()
  }

  private static func refuse(_ connection: Connection) async {
    try? await connection.executeThenClose { _, _ in }
  }

  private static func context(_ tls: TLS) throws -> NIOSSLContext {
    do {
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(tls.certificatePEM.utf8)).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(tls.key.reveal().utf8), format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw DroverError(.invalid, "the server's certificate and key can't be used", cause: error)
    }
  }
}

/// How many connections there may be.
private final class Places: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) { free = Mutex(count) }

  func take() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  func leave() { free.withLock { $0 += 1 } }
}

/// Nobody speaks: the connection is given up.
private final class CloseWhenIdle: ChannelInboundHandler, Sendable {
  typealias InboundIn = Any

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }
}
