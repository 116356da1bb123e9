import Formats
import Glibc
import Processes
import Testing

/// What the drain script of `examples/web-release` promises, with HAProxy before two instances.
@Suite(.enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct RollingUpdateTests {
  @Test("A rolling update of two instances behind HAProxy loses none of 200 requests a second")
  func rollingUpdate() async throws {
    let outcome = try await update()
    #expect(
      outcome.lost.isEmpty, "of \(outcome.sent) requests \(outcome.lost.count) were lost: \(outcome.lost.prefix(5))")
    for index in 0...1 {
      #expect(outcome.answers["hello from web/\(index)", default: 0] > 0, "\(outcome.answers)")
      #expect(outcome.answers["goodbye from web/\(index)", default: 0] > 0, "\(outcome.answers)")
    }
    print("rolling update: \(outcome.sent) requests, \(outcome.lost.count) lost; \(outcome.answers)")
  }

  @Test("Without the lame duck the same update loses requests, so it is the drain that saves them")
  func withoutLameDuck() async throws {
    let outcome = try await update(changing: [("greeting: hello", "greeting: hello\n      lame_duck_seconds: 0")])
    #expect(!outcome.lost.isEmpty, "none of \(outcome.sent) requests was lost")
    print("without lame duck: \(outcome.sent) requests, \(outcome.lost.count) lost")
  }

  /// Deploys, and deploys once more with another greeting under load.
  private func update(changing changes: [(String, String)] = []) async throws -> HTTPLoad.Outcome {
    var outcome: HTTPLoad.Outcome?
    try await ServerUnderTest.with(place: 2) { server in
      try await server.prepare(release: "web")
      try await server.succeed("deploy", "-n", server.manifest("web", changing: changes))

      let addresses = ["10.244.\(server.subnet).110", "10.244.\(server.subnet).111"]
      try await LoadBalancer.with(server, backends: addresses.map { "\($0):8080" }) { balancer in
        try await balancer.waitUntilAllAreUp()
        let load = try HTTPLoad(port: balancer.port, perSecond: 200)
        let requests = Task { await load.run() }
        let change = ("greeting: hello", "greeting: goodbye")
        try await server.succeed("deploy", "-n", server.manifest("web", changing: changes + [change]))
        // Both take part again before the load ends.
        try await balancer.waitUntilAllAreUp()
        try await Task.sleep(for: .seconds(1))
        load.stop()
        outcome = await requests.value
      }
    }
    return try #require(outcome)
  }
}
