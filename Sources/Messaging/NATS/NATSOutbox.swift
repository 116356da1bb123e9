import NIOCore
import Synchronization

/// What is to be written on a connection, in order. Whoever publishes puts it in here and goes on, without a turn of the
/// event loop; all that is here when that comes round is written together.
final class NATSOutbox: Sendable {
  enum Outcome: Sendable, Equatable {
    /// Taken; a flush is on its way.
    case taken
    /// Taken; the caller has to bring a flush about.
    case takenFirst
    /// Not taken: there is no connection, it does not keep up, or the message is too large for its server.
    case refused
  }

  fileprivate struct State {
    var bytes = ByteBuffer()
    var isScheduled = false
    /// The largest message that can be taken from anywhere; nil while only the connection itself may write.
    var maximumPayload: Int?
  }

  /// What may wait here before whoever publishes waits as well, in bytes.
  fileprivate static let room = 65536
  private let state = Mutex(State())

  /// Says from when on, and until when, messages are taken from anywhere.
  func set(maximumPayload: Int?) { state.withLock { $0.maximumPayload = maximumPayload } }

  /// Takes a message from anywhere.
  func offer(_ subject: String, reply: String?, headers: [UInt8], payload: [UInt8]) -> Outcome {
    let size = headers.count + payload.count
    guard state.withLock({ $0.accepts(size) }) else { return .refused }
    var message = NATSCommand.publish(subject, reply: reply, headers: headers, payload: payload)
    return state.withLock { state in
      guard state.accepts(size) else { return .refused }
      return state.append(&message)
    }
  }

  /// Takes what the connection itself has to say.
  func append(_ bytes: ByteBuffer) -> Outcome {
    var bytes = bytes
    return state.withLock { $0.append(&bytes) }
  }

  /// What waits, which is then no longer here.
  func take() -> ByteBuffer? {
    state.withLock { state in
      state.isScheduled = false
      guard state.bytes.readableBytes > 0 else { return nil }
      defer { state.bytes = ByteBuffer() }
      return state.bytes
    }
  }
}

extension NATSOutbox.State {
  fileprivate func accepts(_ size: Int) -> Bool {
    maximumPayload.map { size <= $0 && bytes.readableBytes < NATSOutbox.room } ?? false
  }

  fileprivate mutating func append(_ more: inout ByteBuffer) -> NATSOutbox.Outcome {
    bytes.writeBuffer(&more)
    defer { isScheduled = true }
    return isScheduled ? .taken : .takenFirst
  }
}
