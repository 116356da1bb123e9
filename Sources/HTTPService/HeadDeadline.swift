import NIOCore
import NIOHTTP1

/// Gives up a connection whose next request does not begin as one, in time and in bounds: whoever sends its fields byte by
/// byte, or without end, would hold it as long as they like. It stands where the connection's bytes are still plain.
final class HeadDeadline: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// More than all fields of a request together.
  static let maximumBytes = 256 << 10

  private let limit: TimeAmount
  private var isWaiting = true
  private var bytes = 0
  private var timer: Scheduled<Void>?

  /// - Parameter limit: from the first byte of a request, or from the beginning of the connection, to the end of its
  ///   fields.
  init(limit: TimeAmount) { self.limit = limit }

  func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { begin(context) } }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isWaiting {
      begin(context)
      bytes += unwrapInboundIn(data).readableBytes
      if bytes > Self.maximumBytes { return context.close(promise: nil) }
    }
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard timer == nil else { return }
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }

  private func arrived() {
    isWaiting = false
    bytes = 0
    timer?.cancel()
    timer = nil
  }

  /// Tells the deadline what has become of the bytes.
  final class Watch: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let deadline: HeadDeadline

    init(_ deadline: HeadDeadline) { self.deadline = deadline }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head: deadline.arrived()
      case .end: deadline.isWaiting = true
      case .body: break
      }
      context.fireChannelRead(data)
    }
  }
}
