public import Formats
public import Surroundings
import Synchronization

/// A bus inside this process, for tests and simulations: what is published arrives at once, in order, at every
/// subscription that matches, in the order in which they were made.
///
/// A test may lose, delay or repeat messages by an interceptor. Delays are waited for with the given surroundings, so
/// that they pass in virtual time.
public final class MemoryBus: MessageBus {
  /// What an interceptor decides for a message.
  public enum Fate: Sendable {
    case deliver
    case drop
    /// Delivered so much later; messages sent afterwards may overtake it.
    case delay(Duration)
    /// Delivered that many times in all.
    case repeated(Int)
    /// Delivered once after each of these pauses, counted from now.
    case deliveries([Duration])
    /// The publisher gets this error.
    case refuse(DroverError)
  }

  public typealias Interceptor = @Sendable (BusMessage) -> Fate

  private struct Subscriber {
    let pattern: String
    let queue: String?
    let buffer: MessageBuffer
  }

  private struct State {
    var subscribers: [(id: Int, subscriber: Subscriber)] = []
    var turns: [String: Int] = [:]
    var nextID = 0
    var closed = false
    var interceptor: Interceptor?
  }

  private let state = Mutex(State())
  private let surroundings: Surroundings
  private let maximumPayload: Int
  private let bufferBytes: Int

  /// - Parameters:
  ///   - maximumPayload: bytes; a larger message is refused as a real server does it (1 MiB by default).
  ///   - bufferBytes: what a subscription may hold unread; beyond it messages are dropped and counted.
  public init(
    surroundings: Surroundings = .system, maximumPayload: Int = 1_048_576, bufferBytes: Int = 64 << 20
  ) {
    self.surroundings = surroundings
    self.maximumPayload = maximumPayload
    self.bufferBytes = bufferBytes
  }

  /// Decides about every message published from now on; nil delivers everything again.
  public func intercept(_ interceptor: Interceptor?) {
    state.withLock { $0.interceptor = interceptor }
  }

  /// Ends all subscriptions and refuses what comes afterwards.
  public func close() {
    let subscribers = state.withLock { state in
      state.closed = true
      defer { state.subscribers = [] }
      return state.subscribers
    }
    for (_, subscriber) in subscribers { subscriber.buffer.finish(throwing: nil) }
  }

  public func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws {
    try Subject.check(publish: subject)
    if let reply { try Subject.check(publish: reply) }
    guard payload.count <= maximumPayload else {
      throw DroverError(
        .tooLarge, "publishing \(payload.count) bytes on \(subject): the bus takes at most \(maximumPayload) bytes")
    }
    let (closed, interceptor) = state.withLock { ($0.closed, $0.interceptor) }
    if closed { throw DroverError(.unavailable, "publishing on \(subject): the bus is closed") }
    let message = BusMessage(subject: subject, payload: payload, reply: reply)
    switch interceptor?(message) ?? .deliver {
    case .deliver: deliver(message)
    case .drop: break
    case .delay(let pause): deliver(message, after: pause)
    case .repeated(let times): for _ in 0..<max(0, times) { deliver(message) }
    case .deliveries(let pauses): for pause in pauses { deliver(message, after: pause) }
    case .refuse(let error): throw error
    }
  }

  public func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription {
    try Subject.check(subscribe: subject)
    if let queue { try Subject.check(publish: queue) }
    let buffer = MessageBuffer(limit: bufferBytes)
    let id = try state.withLock { state in
      if state.closed { throw DroverError(.unavailable, "subscribing to \(subject): the bus is closed") }
      state.nextID += 1
      state.subscribers.append((state.nextID, Subscriber(pattern: subject, queue: queue, buffer: buffer)))
      return state.nextID
    }
    return MessageSubscription(subject: subject, buffer: buffer) { [weak self] in
      self?.state.withLock { state in state.subscribers.removeAll { $0.id == id } }
    }
  }

  private func deliver(_ message: BusMessage, after pause: Duration) {
    guard pause > .zero else { return deliver(message) }
    let surroundings = surroundings
    surroundings.task { [weak self] in
      guard (try? await surroundings.sleep(pause)) != nil else { return }
      self?.deliver(message)
    }
  }

  private func deliver(_ message: BusMessage) {
    for buffer in receivers(of: message.subject) {
      if buffer.isFull { buffer.countDropped() } else { _ = buffer.offer(message) }
    }
  }

  /// Everybody without a queue, and of each queue the member whose turn it is.
  private func receivers(of subject: String) -> [MessageBuffer] {
    state.withLock { state in
      var receivers: [MessageBuffer] = []
      var queues: [(name: String, members: [MessageBuffer])] = []
      for (_, subscriber) in state.subscribers where Subject.matches(subscriber.pattern, subject) {
        guard let queue = subscriber.queue else {
          receivers.append(subscriber.buffer)
          continue
        }
        if let index = queues.firstIndex(where: { $0.name == queue }) {
          queues[index].members.append(subscriber.buffer)
        } else {
          queues.append((queue, [subscriber.buffer]))
        }
      }
      for (name, members) in queues {
        let turn = state.turns[name, default: 0]
        state.turns[name] = turn &+ 1
        receivers.append(members[turn % members.count])
      }
      return receivers
    }
  }
}
