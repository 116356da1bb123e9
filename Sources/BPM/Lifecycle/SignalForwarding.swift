import Glibc
import Processes
import Synchronization

/// Hands signals on that this process gets, until it is stopped. While there is nobody who would heed them they are
/// kept, so that none is lost on a container that is still being made.
struct SignalForwarding {
  private static let numbers = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT]

  let signals = KeptSignals()
  private let watch: SignalWatch

  /// Keeps signals from now on.
  init() throws {
    watch = try SignalWatch(Self.numbers) { [signals] in signals.take($0) }
    // Output that nobody reads any more is no reason to die.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Hands signals on from now on.
  init(_ receiver: @escaping @Sendable (Int32) -> Void) throws {
    try self.init()
    signals.hand(receiver)
  }

  /// From here on signals do what they do by themselves.
  func stop() { watch.stop() }
}

/// Signals on their way to somebody, who may not be there yet.
final class KeptSignals: Sendable {
  /// Those that ask for an end.
  private static let endings: Set<Int32> = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]

  private struct State {
    var receiver: (@Sendable (Int32) -> Void)?
    var kept: [Int32] = []
    var ending: Int32?
  }

  private let state = Mutex(State())

  func take(_ number: Int32) {
    state.withLock { state in
      if Self.endings.contains(number) { state.ending = state.ending ?? number }
      if let receiver = state.receiver { receiver(number) } else { state.kept.append(number) }
    }
  }

  /// Hands on what was kept, in its order, and all that comes.
  func hand(_ receiver: @escaping @Sendable (Int32) -> Void) {
    state.withLock { state in
      for number in state.kept { receiver(number) }
      state.kept = []
      state.receiver = receiver
    }
  }

  /// Keeps what comes from now on.
  func keep() { state.withLock { $0.receiver = nil } }

  /// The first signal that asked for an end, whether it was handed on or kept.
  var ending: Int32? { state.withLock { $0.ending } }
  var hasKept: Bool { state.withLock { !$0.kept.isEmpty } }
}
