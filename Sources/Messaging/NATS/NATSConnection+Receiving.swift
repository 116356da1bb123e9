import Formats
import NIOCore
import Surroundings

/// The reading end of a subscription.
struct NATSReceiver {
  let subject: String
  let buffer: MessageBuffer
  /// The buffer is full, so the connection stops reading until there is room again or patience ends.
  var patience: Task<Void, Never>?
  /// Patience has ended: what comes is dropped.
  var isDropping = false
  /// Since it was last reported; the first one is reported at once, the others when there is room again.
  var unreportedDrops = 0
  var hasReportedDrop = false
}

/// What has arrived on its way to the subscriptions, and what happens when one of them does not read.
extension NATSConnection {
  var isReadingPaused: Bool { receivers.values.contains { $0.patience != nil } }

  func deliver(_ message: BusMessage, to id: Int) {
    guard let receiver = receivers[id] else { return }
    if receiver.isDropping {
      receiver.buffer.countDropped()
      receivers[id]?.unreportedDrops += 1
      if !receiver.hasReportedDrop { reportDropped(id) }
      return
    }
    if receiver.buffer.offer(message) || receiver.patience != nil { return }
    handler?.value.pauseReading()
    receivers[id]?.patience = Task { [surroundings, patience = configuration.slowConsumerPatience] in
      guard (try? await surroundings.sleep(patience)) != nil, !Task.isCancelled else { return }
      givePatienceUp(id)
    }
  }

  private func givePatienceUp(_ id: Int) {
    guard receivers[id]?.patience != nil else { return }
    receivers[id]?.patience = nil
    receivers[id]?.isDropping = true
    resumeReadingIfPossible()
  }

  /// The reader has made room.
  func relieved(_ id: Int) {
    guard let receiver = receivers[id], !receiver.buffer.isFull else { return }
    receiver.patience?.cancel()
    receivers[id]?.patience = nil
    receivers[id]?.isDropping = false
    if receiver.unreportedDrops > 0 { reportDropped(id) }
    receivers[id]?.hasReportedDrop = false
    resumeReadingIfPossible()
  }

  func end(_ id: Int, _ error: DroverError?) {
    guard let receiver = receivers.removeValue(forKey: id) else { return }
    receiver.patience?.cancel()
    receiver.buffer.finish(throwing: error)
    resumeReadingIfPossible()
  }

  private func reportDropped(_ id: Int) {
    guard let receiver = receivers[id] else { return }
    receivers[id]?.unreportedDrops = 0
    receivers[id]?.hasReportedDrop = true
    report(.slowConsumer(subject: receiver.subject, dropped: receiver.unreportedDrops))
  }

  private func resumeReadingIfPossible() {
    guard !isReadingPaused, let channel, let handler else { return }
    handler.value.resumeReading(channel)
  }
}
