import AsyncHTTPClient
import Formats
import NIOCore
import NIOHTTP1
import Synchronization

/// Requests at a steady rate, each waited for on its own, so that a slow answer delays no other.
final class HTTPLoad: Sendable {
  struct Outcome: Sendable {
    var sent = 0
    var lost: [String] = []
    /// How often each body was answered.
    var answers: [String: Int] = [:]
  }

  private let url: String
  private let pause: Duration
  private let isStopped = Mutex(false)

  init(port: Int, perSecond: Int) throws {
    url = "http://127.0.0.1:\(port)/"
    pause = .seconds(1) / perSecond
  }

  func stop() { isStopped.withLock { $0 = true } }

  /// Sends until it is told to stop.
  func run() async -> Outcome {
    await withTaskGroup(of: (body: String?, failure: String?).self) { group in
      var outcome = Outcome()
      func count(_ answer: (body: String?, failure: String?)) {
        if let body = answer.body { outcome.answers[body, default: 0] += 1 }
        if let failure = answer.failure { outcome.lost.append(failure) }
      }
      let start = ContinuousClock.now
      while !isStopped.withLock({ $0 }) {
        outcome.sent += 1
        group.addTask { await self.request() }
        // At 200 a second, few are on their way at once; more than 400 would mean that nothing is answered.
        if outcome.sent > 400, let answer = await group.next() { count(answer) }
        try? await Task.sleep(until: start + pause * outcome.sent, clock: .continuous)
      }
      for await answer in group { count(answer) }
      return outcome
    }
  }

  private func request() async -> (body: String?, failure: String?) {
    do {
      let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
      let body = String(buffer: try await response.body.collect(upTo: 4096))
      guard response.status.code == 200 else { return (nil, "\(response.status): \(body)") }
      return (String(body.filter { $0 != "\n" }), nil)
    } catch {
      return (nil, "\(error)")
    }
  }
}
