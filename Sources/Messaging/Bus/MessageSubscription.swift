/// The messages of one subscription, in order of arrival.
///
/// It ends when it is unsubscribed or the bus is closed on purpose, and throws a `DroverError` when the bus refuses the
/// subscription (`forbidden`) or is lost for good (`unavailable`). A task that is cancelled while it waits gets `nil`.
/// Letting go of the last copy unsubscribes. It is meant for one reader; several share the messages among them.
public struct MessageSubscription: AsyncSequence, Sendable {
  public typealias Element = BusMessage
  public typealias Failure = any Error

  /// What was subscribed to.
  public let subject: String
  private let holder: Holder

  init(subject: String, buffer: MessageBuffer, unsubscribe: @escaping @Sendable () -> Void) {
    self.subject = subject
    holder = Holder(buffer: buffer, unsubscribe: unsubscribe)
  }

  /// Stops receiving; what has arrived already can still be read, then the sequence ends.
  public func unsubscribe() {
    holder.unsubscribe()
    holder.buffer.finish(throwing: nil)
  }

  /// How many messages were thrown away because they were not read in time; each time the connection says so too.
  public var droppedMessages: Int { holder.buffer.droppedMessages }

  /// The next message, or nil at the end.
  public func next() async throws -> BusMessage? { try await holder.buffer.next() }

  public func makeAsyncIterator() -> Iterator { Iterator(subscription: self) }

  public struct Iterator: AsyncIteratorProtocol {
    let subscription: MessageSubscription

    public mutating func next() async throws -> BusMessage? { try await subscription.next() }
  }

  /// Unsubscribes when nobody can read any more.
  private final class Holder: Sendable {
    let buffer: MessageBuffer
    let unsubscribe: @Sendable () -> Void

    init(buffer: MessageBuffer, unsubscribe: @escaping @Sendable () -> Void) {
      self.buffer = buffer
      self.unsubscribe = unsubscribe
    }

    deinit { unsubscribe() }
  }
}
