import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// Calls that wait end early when their client hangs up, or the server is told to stop. A client that has sent all and
/// closes its side of the connection has hung up as well.
enum HangUp {
  /// The connection is closed after it, since it was watched to its end.
  static func response(_ request: Request, _ call: PoolCall, _ calls: PoolCalls) async -> Response {
    let (ending, ends) = AsyncStream<Void>.makeStream()
    let reply =
      try? await request.body.consumeWithInboundCloseHandler { body in
        await withGracefulShutdownHandler {
          await self.reply(to: call, calls, body, until: ending)
        } onGracefulShutdown: {
          ends.finish()
        }
      } onInboundClosed: {
        ends.finish()
      }
    var response = PoolsFace.response(reply ?? .error(503, "the connection broke"), isHead: request.method == .head)
    response.headers[.connection] = "close"
    return response
  }

  private static func reply(
    to call: PoolCall, _ calls: PoolCalls, _ body: RequestBody, until ending: AsyncStream<Void>
  ) async -> PoolReply {
    await withTaskGroup(of: PoolReply?.self) { group in
      // Nobody reads it, and while it is unread the end of the connection is not seen.
      let draining = Task { for try await _ in body {} }
      defer { draining.cancel() }
      group.addTask { await calls.reply(to: call) }
      group.addTask {
        for await _ in ending {}
        return nil
      }
      while let end = await group.next() {
        group.cancelAll()
        if let end { return end }
      }
      return .error(503, "the call was ended")
    }
  }
}
