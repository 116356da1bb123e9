import Formats
public import Surroundings
import Synchronization

/// Waits for replies on subjects that the caller picks, all under one subscription: thousands may be awaited at once.
///
/// The director's way (`reference/director.md C.8`): it subscribes `director.<uuid>.>` once, puts a subject below it as
/// `reply_to` into each request, and the reply comes on that subject. A reply that comes twice, or too late, is
/// ignored.
public final class ReplyInbox: Sendable {
  private let bus: any MessageBus
  private let surroundings: Surroundings
  private let waiters: ReplyWaiters
  private let reader: Task<Void, Never>

  /// Subscribes to the pattern, for instance `director.<uuid>.>`.
  /// - Throws: `DroverError` as `subscribe` of the bus.
  public init(bus: any MessageBus, pattern: String, surroundings: Surroundings = .system) async throws {
    self.bus = bus
    self.surroundings = surroundings
    let waiters = ReplyWaiters(pattern: pattern)
    self.waiters = waiters
    let subscription = try await bus.subscribe(pattern)
    reader = surroundings.task {
      do {
        for try await message in subscription { waiters.arrived(message) }
        waiters.close(cause: nil)
      } catch {
        waiters.close(cause: error)
      }
    }
  }

  deinit { reader.cancel() }

  /// Publishes and waits for the first message on `reply`.
  /// - Parameters:
  ///   - reply: must match the inbox's pattern and not be waited on already.
  ///   - inHeader: also gives the subject in the protocol's own field; otherwise the payload has to say it.
  /// - Throws: `DroverError`: `timeout`, `unavailable` (the bus is lost, or says that nobody listens), `conflict`
  ///   (somebody waits on that subject already), what `publish` throws; `CancellationError`.
  public func request(
    _ subject: String, _ payload: [UInt8], reply: String, timeout: Duration, inHeader: Bool = false
  ) async throws -> [UInt8] {
    let message = try await waiters.expect(reply, of: subject) {
      try await bus.publish(subject, payload, reply: inHeader ? reply : nil)
      return surroundings.task { [waiters, surroundings] in
        guard (try? await surroundings.sleep(timeout)) != nil else { return }
        waiters.fail(
          reply, DroverError(.timeout, "requesting \(subject): no reply came on \(reply) within \(timeout)"))
      }
    }
    if message.status == 503 {
      throw DroverError(.unavailable, "requesting \(subject): nobody listens on that subject")
    }
    return message.payload
  }

  /// Ends the subscription; whoever waits gets `unavailable`.
  public func close() {
    reader.cancel()
    waiters.close(cause: nil)
  }
}

/// Who waits for which reply.
private final class ReplyWaiters: Sendable {
  private enum Waiter {
    case expecting
    case waiting(CheckedContinuation<BusMessage, any Error>)
    case answered(Result<BusMessage, any Error>)
  }

  private struct State {
    var waiters: [String: Waiter] = [:]
    var closing: DroverError?
  }

  private let pattern: String
  private let state = Mutex(State())

  init(pattern: String) { self.pattern = pattern }

  /// Notes who waits, sends the request, then waits; the timer is stopped at the end.
  func expect(
    _ reply: String, of subject: String, send: () async throws -> Task<Void, Never>
  ) async throws -> BusMessage {
    guard Subject.matches(pattern, reply) else {
      throw DroverError(.invalid, "requesting \(subject): the reply subject \(reply) does not match \(pattern)")
    }
    try state.withLock { state in
      if let error = state.closing { throw error }
      guard state.waiters[reply] == nil else {
        throw DroverError(.conflict, "requesting \(subject): a reply on \(reply) is waited for already")
      }
      state.waiters[reply] = .expecting
    }
    defer { state.withLock { $0.waiters[reply] = nil } }
    let timer = try await send()
    defer { timer.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<BusMessage, any Error>? in
          if case .answered(let result) = state.waiters[reply] { return result }
          if Task.isCancelled { return .failure(CancellationError()) }
          state.waiters[reply] = .waiting(continuation)
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      fail(reply, CancellationError())
    }
  }

  func arrived(_ message: BusMessage) { answer(message.subject, .success(message)) }

  func fail(_ reply: String, _ error: any Error) { answer(reply, .failure(error)) }

  func close(cause: (any Error)?) {
    let error = DroverError(.unavailable, "waiting for replies on \(pattern): the subscription has ended", cause: cause)
    let replies = state.withLock { state in
      if state.closing == nil { state.closing = error }
      return state.waiters.keys.sorted()
    }
    for reply in replies { fail(reply, error) }
  }

  private func answer(_ reply: String, _ result: Result<BusMessage, any Error>) {
    let continuation = state.withLock { state -> CheckedContinuation<BusMessage, any Error>? in
      switch state.waiters[reply] {
      case .waiting(let continuation):
        state.waiters[reply] = .answered(result)
        return continuation
      case .expecting:
        state.waiters[reply] = .answered(result)
        return nil
      case .answered, nil: return nil
      }
    }
    continuation?.resume(with: result)
  }
}
