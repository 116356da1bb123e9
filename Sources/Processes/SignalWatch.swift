import CLinux
import Dispatch
import Formats
import Glibc
import Synchronization

/// Signals that this process gets are told to somebody, from the moment on at which this is made until it is stopped. Before
/// and afterwards they do what they do by themselves, and none is lost between.
///
/// A source of libdispatch would lose what comes before its own thread has got to it. Nothing is ignored either, which
/// programs that are executed would go on with.
public struct SignalWatch: Sendable {
  private let numbers: [Int32]

  /// - Parameter receiver: told one signal after the other, in the order in which they came. Of several watches of a signal
  ///   the last one is told.
  public init(_ numbers: [Int32], _ receiver: @escaping @Sendable (Int32) -> Void) throws {
    self.numbers = numbers
    let hub = try Hub.shared.get()
    for number in numbers {
      hub.receivers.withLock { $0[number] = receiver }
      guard drover_catch_signal(number) == 0 else { throw systemError("catching signal \(number)") }
    }
  }

  public func stop() {
    for number in numbers { signal(number, SIG_DFL) }
    guard let hub = try? Hub.shared.get() else { return }
    for number in numbers { hub.receivers.withLock { $0[number] = nil } }
  }

  /// Who is told of which signal; one for the process, which stays.
  private final class Hub: Sendable {
    let receivers = Mutex<[Int32: @Sendable (Int32) -> Void]>([:])

    static let shared = Result<Hub, DroverError> { () throws(DroverError) in
      let end = drover_signal_pipe()
      guard end >= 0 else { throw systemError("making a pipe for signals") }
      let hub = Hub()
      let source = DispatchSource.makeReadSource(fileDescriptor: end, queue: DispatchQueue(label: "signals"))
      source.setEventHandler {
        // It has it for as long as the process lives.
        _ = source
        hub.tell(from: end)
      }
      source.activate()
      return hub
    }

    private func tell(from end: Int32) {
      var bytes = [UInt8](repeating: 0, count: 64)
      while true {
        let count = read(end, &bytes, bytes.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        for number in bytes.prefix(count).map(Int32.init) { receivers.withLock { $0[number] }?(number) }
      }
    }
  }
}
