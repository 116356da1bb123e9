import Formats
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Pools
import PoolsProtocol

/// The ports of a server of pools.
enum PoolsFace {
  static func api(
    _ calls: PoolCalls, _ readiness: Readiness, address: String, port: Int, logger: Logger
  ) -> some ApplicationProtocol {
    Application(
      responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
        let call = call(request)
        if call.mayWait { return await HangUp.response(request, call, calls) }
        return response(await calls.reply(to: call), isHead: request.method == .head)
      },
      configuration: .init(address: .hostname(address, port: port), serverName: nil),
      onServerRunning: { _ in readiness.becomeReady() }, logger: logger)
  }

  private static func call(_ request: Request) -> PoolCall {
    let body = request.body
    return PoolCall(
      method: request.method.rawValue, path: PoolCall.path(request.uri.path), query: request.uri.query ?? "",
      authorization: request.headers[.authorization], userAgent: request.headers[.userAgent] ?? "",
      body: { limit in try await Self.bytes(body, limit) })
  }

  static func bytes(_ body: RequestBody, _ limit: Int) async throws -> [UInt8] {
    do {
      return Array(try await body.collect(upTo: limit).readableBytesView)
    } catch is NIOTooManyBytesError {
      throw DroverError(.tooLarge, "the body has more than \(limit) bytes")
    }
  }

  static func health(
    _ readiness: Readiness, _ metrics: PoolMetrics, address: String, port: Int, logger: Logger
  ) -> some ApplicationProtocol {
    page(address, port, logger) { path, query in
      switch path {
      case "/healthz":
        guard query == "verbose", let fault = metrics.configurationFault else {
          return .success(Array("OK".utf8), type: PoolReply.plain)
        }
        return .success(
          Array("OK\nthe latest configuration is not in use: \(fault)\n".utf8), type: PoolReply.plain)
      case "/healthz/ready" where readiness.isReady: return .success(Array("OK".utf8), type: PoolReply.plain)
      default: return .error(404, "404 page not found")
      }
    }
  }

  static func metrics(
    _ keeper: PoolKeeper, _ metrics: PoolMetrics, address: String, port: Int, logger: Logger
  ) -> some ApplicationProtocol {
    page(address, port, logger) { path, _ in
      guard path == "/metrics" else { return .error(404, "404 page not found") }
      let text = metrics.text(
        await keeper.metrics(), await keeper.statistics, waiting: await keeper.waiting,
        .init(alerts: await keeper.alertStates, events: await keeper.eventCounts))
      return .success(Array(text.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
    }
  }

  private static func page(
    _ address: String, _ port: Int, _ logger: Logger,
    _ answer: @escaping @Sendable (_ path: String, _ query: String) async -> PoolReply
  ) -> some ApplicationProtocol {
    Application(
      responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
        response(await answer(request.uri.path, request.uri.query ?? ""), isHead: request.method == .head)
      },
      configuration: .init(address: .hostname(address, port: port), serverName: nil), logger: logger)
  }

  static func response(_ reply: PoolReply, isHead: Bool) -> Response {
    var headers = HTTPFields()
    if let type = reply.contentType { headers[.contentType] = type }
    if reply.isError { headers[.xContentTypeOptions] = "nosniff" }
    if let seconds = reply.retryAfter { headers[.retryAfter] = "\(seconds)" }
    if let realm = reply.realm { headers[.wwwAuthenticate] = "Basic realm=\"\(realm)\"" }
    let body = reply.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body))
    let response = Response(status: .init(code: reply.status), headers: headers, body: body)
    return isHead ? response.createHeadResponse() : response
  }
}
