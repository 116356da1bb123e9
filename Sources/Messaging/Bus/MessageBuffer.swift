import Synchronization

/// The messages that have arrived on a subscription and were not read yet, counted in bytes.
///
/// It never throws a message away by itself: `offer` says when the limit is passed, and the bus decides what to do.
final class MessageBuffer: Sendable {
  private typealias Reader = (id: Int, continuation: CheckedContinuation<BusMessage?, any Error>)

  private struct State {
    var messages = FIFO<BusMessage>()
    var bytes = 0
    var dropped = 0
    var overLimit = false
    var waiting: [Reader] = []
    var nextWaiter = 0
    var ending: Ending?
  }

  private enum Ending {
    case finished
    case failed(any Error)
  }

  private let state = Mutex(State())
  private let limit: Int
  private let onRelief: @Sendable () -> Void

  /// - Parameters:
  ///   - limit: bytes that may wait before `offer` reports the buffer as full.
  ///   - onRelief: called when a buffer that was full has been read down to half its limit.
  init(limit: Int, onRelief: @escaping @Sendable () -> Void = {}) {
    self.limit = limit
    self.onRelief = onRelief
  }

  var droppedMessages: Int { state.withLock { $0.dropped } }

  /// Whether more than the limit is waiting to be read.
  var isFull: Bool { state.withLock { $0.overLimit } }

  /// Whether everything that has arrived was read.
  var isEmpty: Bool { state.withLock { $0.messages.isEmpty } }

  func countDropped() { state.withLock { $0.dropped += 1 } }

  /// Takes a message. Returns false when, with it, more waits than the limit allows.
  func offer(_ message: BusMessage) -> Bool {
    let (reader, fits) = state.withLock { state -> (CheckedContinuation<BusMessage?, any Error>?, Bool) in
      guard state.ending == nil else { return (nil, true) }
      if !state.waiting.isEmpty { return (state.waiting.removeFirst().continuation, true) }
      state.messages.append(message)
      state.bytes += message.cost
      if state.bytes > limit { state.overLimit = true }
      return (nil, !state.overLimit)
    }
    reader?.resume(returning: message)
    return fits
  }

  /// No more will come: readers get what is there, then the end or the error.
  func finish(throwing error: (any Error)?) {
    let readers = state.withLock { state -> [Reader] in
      guard state.ending == nil else { return [] }
      state.ending = error.map { .failed($0) } ?? .finished
      defer { state.waiting = [] }
      return state.waiting
    }
    for (index, reader) in readers.enumerated() {
      if let error, index == 0 {
        reader.continuation.resume(throwing: error)
      } else {
        reader.continuation.resume(returning: nil)
      }
    }
    if error != nil, !readers.isEmpty { state.withLock { $0.ending = .finished } }
  }

  func next() async throws -> BusMessage? {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        take(id, continuation)
      }
    } onCancel: {
      let reader = state.withLock { state in
        state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
      }
      reader?.resume(returning: nil)
    }
  }

  private func take(_ id: Int, _ continuation: CheckedContinuation<BusMessage?, any Error>) {
    var relieved = false
    let result: Result<BusMessage?, any Error>? = state.withLock { state in
      if let message = state.messages.popFirst() {
        state.bytes -= message.cost
        if state.overLimit, state.bytes <= limit / 2 {
          state.overLimit = false
          relieved = true
        }
        return .success(message)
      }
      switch state.ending {
      case .finished: return .success(nil)
      case .failed(let error):
        state.ending = .finished
        return .failure(error)
      case nil:
        // Checked under the lock: a cancellation before this point has found nobody to wake.
        if Task.isCancelled { return .success(nil) }
        state.waiting.append((id, continuation))
        return nil
      }
    }
    if let result { continuation.resume(with: result) }
    if relieved { onRelief() }
  }
}
