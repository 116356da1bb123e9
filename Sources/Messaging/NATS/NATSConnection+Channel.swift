import Formats
import NIOCore
import NIOPosix
import NIOSSL

/// The TCP connection under a `NATSConnection`, and TLS on it.
extension NATSConnection {
  func open(_ server: NATSAddress, on eventLoop: any EventLoop) {
    attempt += 1
    let attempt = attempt
    parser = NATSParser()
    _ = outbox.take()
    let opening = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(configuration.connectTimeout))
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = NATSChannelHandler(connection: self, attempt: attempt)
          let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
          self.assumeIsolated { $0.prepared(channel, bound, attempt: attempt) }
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .connect(host: server.host, port: server.port)
    opening.whenComplete { result in
      self.assumeIsolated { connection in
        switch result {
        case .success: connection.opened(attempt: attempt)
        case .failure(let error):
          connection.lost(
            DroverError(.unavailable, "connecting to NATS at \(server)", cause: error), attempt: attempt)
        }
      }
    }
  }

  private func prepared(_ channel: any Channel, _ handler: NIOLoopBound<NATSChannelHandler>, attempt: Int) {
    guard attempt == self.attempt, session.phase == .opening else {
      channel.close(promise: nil)
      return
    }
    self.channel = channel
    self.handler = handler
  }

  private func opened(attempt: Int) {
    guard attempt == self.attempt else { return }
    handle(.opened)
    // INFO may have been read in the same moment, before the connection counted as open.
    process()
  }

  func received(_ bytes: ByteBuffer, attempt: Int) {
    guard attempt == self.attempt else { return }
    parser.append(bytes)
    process()
  }

  /// Handles what is complete. While TLS is being set up, nothing is: whoever sends plain text then is not the server.
  private func process() {
    let attempt = attempt
    do {
      while attempt == self.attempt, session.phase != .opening, let operation = try parser.next() {
        handle(.received(operation))
      }
    } catch {
      handle(.lost(error))
    }
  }

  func secure(_ server: NATSAddress) {
    guard let channel, let tls else { return }
    guard parser.pendingBytes == 0 else {
      return handle(
        .lost(
          DroverError(.forbidden, "connecting to NATS at \(server): something was sent in plain text before TLS")))
    }
    do {
      try channel.pipeline.syncOperations.addHandler(tls.handler(for: server), position: .first)
    } catch {
      handle(.lost(DroverError(.failed, "connecting to NATS at \(server): beginning TLS", cause: error)))
    }
  }

  func secured(attempt: Int) {
    guard attempt == self.attempt, let channel, let tls else { return }
    do {
      try tls.check(channel.pipeline.syncOperations.nioSSL_peerCertificate(), of: session.server)
      handle(.secured)
    } catch {
      handle(.lost(error as? DroverError ?? DroverError(.failed, "reading the server's certificate", cause: error)))
    }
  }

  func lost(_ reason: DroverError, attempt: Int) {
    guard attempt == self.attempt else { return }
    handle(.lost(reason))
  }

  func shut() {
    // Events of this connection come too late from here on.
    attempt += 1
    // Who hears of the loss may publish at once, and that is to wait for the next connection.
    outbox.set(maximumPayload: nil)
    flushOutgoing()
    channel?.close(promise: nil)
    channel = nil
    handler = nil
    resumeWriters()
  }

  // MARK: - Writing

  /// What is written in one turn of the event loop goes out together.
  func write(_ bytes: ByteBuffer) {
    if outbox.append(bytes) == .takenFirst { eventLoop.execute { self.assumeIsolated { $0.flushOutgoing() } } }
  }

  func flushOutgoing() {
    guard let channel, let bytes = outbox.take() else { return }
    channel.writeAndFlush(bytes, promise: nil)
  }

  /// Messages may be put into the outbox from anywhere while they can be written at once.
  func openOrCloseOutbox() {
    let isOpen = session.phase == .connected && channel?.isWritable == true
    outbox.set(maximumPayload: isOpen ? session.info.maximumPayload : nil)
  }

  func writabilityChanged(attempt: Int) {
    guard attempt == self.attempt else { return }
    openOrCloseOutbox()
    guard channel?.isWritable == true else { return }
    resumeWriters()
  }
}
