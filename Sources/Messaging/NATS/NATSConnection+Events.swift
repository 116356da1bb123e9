import Formats
import Logging
import Synchronization

extension NATSConnection {
  /// Tells the log and whoever listens.
  func report(_ event: NATSEvent) {
    switch event {
    case .connected(let server):
      lastFailure = nil
      logger.info("connected to NATS", metadata: ["server": "\(server)"])
    case .disconnected(let server, let reason):
      lastFailure = reason
      logger.warning("no connection to NATS", metadata: ["server": "\(server)", "reason": "\(reason)"])
    case .reconnecting(let attempt, let pause):
      logger.info("trying NATS again later", metadata: ["attempt": "\(attempt)", "pause": "\(pause)"])
    case .closed(let reason):
      logger.debug("closed the connection to NATS", metadata: reason.map { ["reason": "\($0)"] } ?? [:])
    case .permissionError(let operation, let subject):
      logger.error("NATS refused", metadata: ["operation": "\(operation)", "subject": "\(subject)"])
    case .slowConsumer(let subject, let dropped):
      logger.error("messages were not read in time", metadata: ["subject": "\(subject)", "dropped": "\(dropped)"])
    case .serverError(let text):
      logger.error("NATS reported an error", metadata: ["error": "\(text)"])
    }
    listeners.send(event)
  }
}

/// Those who want to know what happens to a connection.
final class NATSEventListeners: Sendable {
  private struct State {
    var continuations: [Int: AsyncStream<NATSEvent>.Continuation] = [:]
    var nextID = 0
    var isClosed = false
  }

  private let state = Mutex(State())

  func stream() -> AsyncStream<NATSEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: NATSEvent.self, bufferingPolicy: .bufferingNewest(256))
    let id = state.withLock { state -> Int? in
      guard !state.isClosed else { return nil }
      state.nextID += 1
      state.continuations[state.nextID] = continuation
      return state.nextID
    }
    guard let id else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.continuations.removeValue(forKey: id) }
    }
    return stream
  }

  /// After `closed` the streams end.
  func send(_ event: NATSEvent) {
    var isLast = false
    if case .closed = event { isLast = true }
    let continuations = state.withLock { state in
      if isLast { state.isClosed = true }
      return state.continuations.values.map { $0 }
    }
    for continuation in continuations {
      continuation.yield(event)
      if isLast { continuation.finish() }
    }
  }
}
