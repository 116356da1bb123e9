import Glibc
import Processes
import Synchronization
import Testing

@Suite("SignalWatch", .timeLimit(.minutes(5))) struct SignalWatchTests {
  /// What has come.
  private final class Heard: Sendable {
    private let numbers = Mutex<[Int32]>([])
    func add(_ number: Int32) { numbers.withLock { $0.append(number) } }
    var all: [Int32] { numbers.withLock { $0 } }
  }

  private func disposition(_ number: Int32) -> Int {
    var usual = sigaction()
    sigaction(number, nil, &usual)
    return unsafeBitCast(usual.__sigaction_handler.sa_handler, to: Int.self)
  }

  @Test("Signals that come at once are told, in their order, and afterwards they do what they always do")
  func atOnce() async throws {
    // What programs that are executed go on with: to ignore it is 1.
    let (usual, ignoring) = (0, 1)
    for round in 0..<200 {
      let heard = Heard()
      let watch = try SignalWatch([SIGUSR2, SIGWINCH]) { heard.add($0) }
      kill(getpid(), SIGUSR2)
      while heard.all.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
      kill(getpid(), SIGWINCH)
      kill(getpid(), SIGUSR2)
      while heard.all.count < 3 { try await Task.sleep(for: .milliseconds(1)) }
      #expect(heard.all.first == SIGUSR2 && Set(heard.all) == [SIGUSR2, SIGWINCH], "round \(round)")
      #expect(![usual, ignoring].contains(disposition(SIGUSR2)))
      watch.stop()
      #expect(disposition(SIGUSR2) == usual && disposition(SIGWINCH) == usual)
    }
  }
}
