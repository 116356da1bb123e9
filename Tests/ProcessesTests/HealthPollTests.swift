import Formats
import Surroundings
import Synchronization
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(1))) struct HealthPollTests {
  /// A clock that goes on only when somebody waits, or by what a question takes.
  private final class Clock: Sendable {
    let now = Mutex(Duration.zero)

    var surroundings: Surroundings {
      Surroundings(
        now: { Timestamp(seconds: 0) }, elapsed: { self.now.withLock { $0 } },
        sleep: { pause in self.now.withLock { $0 += pause } }, identifier: { "" }, randomBytes: { _ in [] })
    }
  }

  /// When each question was asked, in milliseconds, until `healthy` of them were answered with no.
  private func asked(
    timeout: Int, every frequency: Int, taking: Int = 0, healthy: Int = .max
  ) async -> (times: [Int], error: String?, end: Int) {
    let clock = Clock()
    var times: [Int] = []
    var error: String?
    do {
      let poll = try HealthPoll(
        url: "http://h/", timeout: .milliseconds(timeout), frequency: .milliseconds(frequency),
        surroundings: clock.surroundings)
      try await poll.run { _, limit in
        times.append(clock.now.withLock { $0.wholeMilliseconds })
        clock.now.withLock { $0 += min(limit, .milliseconds(taking)) }
        return times.count > healthy
      }
    } catch let failure {
      error = "\(failure)"
    }
    return (times, error, clock.now.withLock { $0.wholeMilliseconds })
  }

  @Test("asks at once, then in turns, until it is healthy")
  func healthy() async {
    let result = await asked(timeout: 1000, every: 200, healthy: 2)
    #expect(result.times == [0, 200, 400] && result.error == nil)
    #expect(await asked(timeout: 60_000, every: 5000, healthy: 0).times == [0])
  }

  @Test("says how often it asked when time is up, and not before")
  func unhealthy() async {
    let result = await asked(timeout: 500, every: 200)
    #expect(result.times == [0, 200, 400] && result.end == 500)
    #expect(result.error == "healthcheck unhealthy (url 'http://h/' was not healthy after 3 attempts)")
    #expect(await asked(timeout: 0, every: 200).error?.contains("after 0 attempts") == true)
  }

  @Test("a slow answer is followed by one question, not by those that were missed, and none lasts beyond the end")
  func slow() async {
    let result = await asked(timeout: 1000, every: 100, taking: 350)
    #expect(result.times == [0, 350, 700] && result.end == 1000)
    // A single question never takes longer than 30 s.
    let endless = await asked(timeout: 60_000, every: 1000, taking: 1_000_000)
    #expect(endless.times == [0, 30_000] && endless.end == 60_000)
  }

  @Test(
    "what can never be healthy is refused at once",
    arguments: [
      (":health", "parse \":health\": missing protocol scheme"),
      ("127.0.0.1:80/x", "parse \"127.0.0.1:80/x\": first path segment in URL cannot contain colon"),
      ("localhost:80", "parse \"localhost:80\": unsupported protocol scheme \"localhost\""),
      ("ftp://h", "parse \"ftp://h\": unsupported protocol scheme \"ftp\""), ("http:///x", "no Host in request URL"),
      ("/path", "unsupported protocol scheme \"\""), ("http://a\nb", "invalid control character in URL"),
    ])
  func refused(url: String, text: String) {
    let error = #expect(throws: DroverError.self) {
      try HealthPoll(url: url, timeout: .seconds(1), frequency: .seconds(1))
    }
    #expect(error?.message.contains(text) == true)
  }

  @Test("a frequency of 0 and below is refused", arguments: [0, -1])
  func frequency(milliseconds: Int) {
    #expect(throws: DroverError.self) {
      try HealthPoll(url: "http://h", timeout: .seconds(1), frequency: .milliseconds(milliseconds))
    }
  }

  @Test(
    "the environment names proxies, and hosts that are asked directly",
    arguments: [
      ("http://h/", ["http_proxy": "http://p:3128"], "p:3128"), ("http://h/", ["HTTP_PROXY": "p:1"], "p:1"),
      ("https://h/", ["https_proxy": "http://u:w@p"], "p:80"), ("https://h/", ["http_proxy": "p:1"], nil),
      ("http://127.0.0.1:80/", ["http_proxy": "p:1"], nil), ("http://localhost/", ["http_proxy": "p:1"], nil),
      ("http://[::1]/", ["http_proxy": "p:1"], nil),
      ("http://a.b.c/", ["http_proxy": "p:1", "no_proxy": "x, b.c"], nil),
      ("http://ab.c/", ["http_proxy": "p:1", "no_proxy": "b.c"], "p:1"),
      ("http://b.c/", ["http_proxy": "p:1", "NO_PROXY": ".b.c"], "p:1"),
      ("http://h:81/", ["http_proxy": "p:1", "no_proxy": "h:80"], "p:1"),
      ("http://h/", ["http_proxy": "p:1", "no_proxy": "h:80"], nil),
      ("http://h/", ["http_proxy": "p:1", "no_proxy": "*"], nil), ("http://h/", ["http_proxy": ""], nil),
    ] as [(String, [String: String], String?)])
  func proxies(url: String, environment: [String: String], expected: String?) {
    let proxy = ProxyChoice.proxy(for: url, environment: environment)
    #expect(proxy.map { "\($0.host):\($0.port)" } == expected)
  }
}
