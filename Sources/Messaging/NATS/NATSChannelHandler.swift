import Formats
import NIOCore
import NIOTLS

/// Passes on what happens on one TCP connection to the `NATSConnection` it belongs to, and holds back reading while
/// that asks for it.
///
/// It lives on the event loop that is the connection's executor, so its calls are made in place.
final class NATSChannelHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: NATSConnection
  /// Which attempt this is; what comes from an earlier one is ignored.
  private let attempt: Int
  private var isPaused = false
  private var wantsRead = false

  init(connection: NATSConnection, attempt: Int) {
    self.connection = connection
    self.attempt = attempt
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let (bytes, attempt) = (unwrapInboundIn(data), attempt)
    connection.assumeIsolated { $0.received(bytes, attempt: attempt) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    lost(DroverError(.unavailable, "the NATS server closed the connection"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    lost(DroverError(.unavailable, "the connection to NATS failed", cause: error))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
      let attempt = attempt
      connection.assumeIsolated { $0.secured(attempt: attempt) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let attempt = attempt
    connection.assumeIsolated { $0.writabilityChanged(attempt: attempt) }
    context.fireChannelWritabilityChanged()
  }

  func read(context: ChannelHandlerContext) {
    if isPaused { wantsRead = true } else { context.read() }
  }

  func pauseReading() { isPaused = true }

  func resumeReading(_ channel: any Channel) {
    isPaused = false
    if wantsRead {
      wantsRead = false
      channel.read()
    }
  }

  private func lost(_ reason: DroverError) {
    let attempt = attempt
    connection.assumeIsolated { $0.lost(reason, attempt: attempt) }
  }
}
