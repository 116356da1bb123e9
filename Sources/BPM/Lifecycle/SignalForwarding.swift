import Dispatch
import Glibc

/// Hands signals on that this process gets, until it is stopped.
struct SignalForwarding {
  private static let numbers = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT]
  private let sources: [any DispatchSourceSignal]

  init(_ forward: @escaping @Sendable (Int32) -> Void) {
    sources = Self.numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { forward(number) }
      source.resume()
      return source
    }
    // Output that nobody reads any more is no reason to die.
    signal(SIGPIPE, SIG_IGN)
  }

  /// From here on signals do what they do by themselves.
  func stop() {
    for source in sources { source.cancel() }
    for number in Self.numbers { signal(number, SIG_DFL) }
  }
}
