import Formats
import Glibc
import Processes
import Testing

/// What the drain script of `examples/web-release` promises, with HAProxy before two instances.
@Suite(.enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct RollingUpdateTests {
  @Test("A rolling update of two instances behind HAProxy loses none of 200 requests a second")
  func rollingUpdate() async throws {
    let outcome = try await update {
      try await errands($0)
      try await waitsForDrains($0)
    }
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

  private func errands(_ server: ServerUnderTest) async throws { try await ReleaseErrandSteps(server: server).run() }

  /// A job of one VM waits for that of another, which it asks about through the director.
  private func waitsForDrains(_ server: ServerUnderTest) async throws {
    guard access("/usr/bin/ssh", X_OK) == 0 else {
      return print("wait-drained is not tested: there is no /usr/bin/ssh (openssh-client)")
    }
    func wait(_ target: String, timeout: String) async throws -> CommandResult {
      try await server.drover(
        "ssh", "-d", "web", "web/0", "-c",
        "sudo env LD_LIBRARY_PATH=/var/vcap/bosh/lib /var/vcap/bosh/bin/drover-agent wait-drained \(target) --timeout \(timeout) 2>&1"
      )
    }
    // Nothing asks it to let go, so far.
    let early = try await wait("web@web/1", timeout: "2s")
    #expect(early.ending == .exited(124), "\(early.text)")
    #expect(early.text.contains("job 'web@web/1' has not drained within 2.0s: it is idle since "), "\(early.text)")
    let unknown = try await wait("nothing@web/1", timeout: "60s")
    #expect(unknown.ending == .exited(1) && unknown.text.contains("nothing"), "\(unknown.text)")
    let nowhere = try await wait("web@web/7", timeout: "60s")
    #expect(nowhere.ending == .exited(1) && nowhere.text.contains("web/7"), "\(nowhere.text)")

    async let waiting = wait("web@web/1", timeout: "300s")
    try await server.succeed("stop", "-n", "-d", "web", "web/1")
    let drained = try await waiting
    #expect(drained.ending == .exited(0), "\(drained.text)")
    #expect(drained.text.contains("job 'web@web/1' has drained"), "\(drained.text)")
    // Its own, by name alone, is not drained by that.
    let own = try await wait("web", timeout: "0")
    #expect(own.ending == .exited(124), "\(own.text)")
  }

  /// Deploys, and deploys once more with another greeting under load.
  ///
  /// - Parameter afterwards: what else is looked at while the deployment is there.
  private func update(
    changing changes: [(String, String)] = [], afterwards: (ServerUnderTest) async throws -> Void = { _ in }
  ) async throws -> HTTPLoad.Outcome {
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
      try await afterwards(server)
    }
    return try #require(outcome)
  }
}
