import Logging
import PoolsProtocol
import Surroundings
import Testing

@testable import Pools

/// Queues by themselves, and who clears them away (reference/boskos.md 18).
@Suite(.timeLimit(.minutes(5))) struct QueueTests {
  private static let start = Timestamp(seconds: 1_000_000)

  private func waiter(_ number: Int) -> WaitQueue.Waiter {
    .init(id: "\(number)", sequence: Int64(number), createdAt: Self.start, expiry: Self.start + .seconds(30 + number))
  }

  @Test("who leaves moves those behind up, and time that has not passed moves nobody")
  func ranks() {
    var queue = WaitQueue()
    for number in 0..<10 { queue.add(waiter(number)) }
    for gone in 0..<10 {
      queue.expire(Self.start + .seconds(30))
      #expect((gone..<10).map { queue.rank("\($0)") } == Array(0..<(10 - gone)) && queue.rank(nil) == 10 - gone)
      #expect(queue.firstLive?.id == "\(gone)" && queue.expiredWaiters == [])
      #expect(queue.remove("\(gone)") == waiter(gone))
    }
    #expect(queue.isEmpty && queue.firstLive == nil && queue.remove("0") == nil)
  }

  @Test("the keeper drops who no longer asks each minute, keeps who does, and stops when it is told to")
  func clears() async throws {
    let clock = Clock()
    var surroundings = Surroundings.system
    surroundings.now = { clock.now }
    surroundings.elapsed = { clock.now - Self.start }
    surroundings.sleep = { duration in
      try Task.checkCancellation()
      clock.advance(duration)
      await Task.yield()
    }
    let keeper = try await PoolKeeper(
      store: nil, surroundings: surroundings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await keeper.configure(PoolsConfiguration([.init(type: "t", names: ["a"])]))
    @Sendable func ask(_ id: String) async {
      let request = AcquireRequest(type: "t", state: "clean", destination: "busy", owner: "o", requestID: id)
      _ = try? await keeper.acquire(request)
    }
    for id in ["1", "2", "3"] { await ask(id) }
    let running = Task { await keeper.run() }
    while await keeper.waiting > 0 { await Task.yield() }
    #expect(clock.now >= Self.start + .seconds(60))
    running.cancel()
    await running.value
    // Nobody clears any more; who asks has a place again.
    await ask("4")
    clock.advance(.seconds(1000))
    #expect(await keeper.waiting == 1)
  }
}
