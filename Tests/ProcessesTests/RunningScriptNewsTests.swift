import Processes
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct RunningScriptNewsTests {
  /// Prints once there is a file `go`, and ends once there is a file `end`.
  private static func script(_ folder: String) -> ScriptSpec {
    let text = """
      while [ ! -e \(folder)/go ]; do sleep 0.01; done; echo one; echo two >&2
      while [ ! -e \(folder)/end ]; do sleep 0.01; done
      """
    return ScriptSpec(["/bin/sh", "-c", text], environment: ["PATH": "/usr/bin:/bin"])
  }

  @Test("waiting ends when something is printed, at once when there is more already, and when the script ends")
  func wakes() async throws {
    try await withTemporaryFolder { folder in
      let script = try await RunnerFixture.runner(folder).start(id: "a", Self.script(folder))
      async let printed: Void = {
        while script.outputSize(.stdout) == 0 || script.outputSize(.stderr) == 0 {
          try await script.waitForNews(
            stdout: script.outputSize(.stdout), stderr: script.outputSize(.stderr), atMost: .seconds(300))
        }
      }()
      try writeTestFile("\(folder)/go", "")
      try await printed
      try await script.waitForNews(stdout: 0, stderr: 4, atMost: .seconds(300))
      async let ended: Void = {
        while try script.exitIfEnded() == nil {
          try await script.waitForNews(stdout: 4, stderr: 4, atMost: .seconds(300))
        }
      }()
      try writeTestFile("\(folder)/end", "")
      try await ended
      #expect(script.outputSize(.stdout) == 4)
      #expect(try script.exitIfEnded() == .exited(0))
    }
  }

  @Test("what goes to other files is waited for as well")
  func otherFiles() async throws {
    try await withTemporaryFolder { folder in
      var spec = Self.script(folder)
      spec.stdout = .append("\(folder)/out.log")
      spec.stderr = .append("\(folder)/err.log")
      let script = try await RunnerFixture.runner(folder).start(id: "a", spec)
      async let printed: Void = {
        while script.outputSize(.stdout) == 0 {
          try await script.waitForNews(stdout: 0, stderr: 99, atMost: .seconds(300))
        }
      }()
      try writeTestFile("\(folder)/go", "")
      try await printed
      try writeTestFile("\(folder)/end", "")
      #expect(try await script.wait() == .exited(0))
    }
  }

  @Test("waiting ends when its time has passed, also when others wait shorter or longer")
  func limited() async throws {
    try await withTemporaryFolder { folder in
      let script = try await RunnerFixture.runner(folder).start(id: "a", Self.script(folder))
      let order = await withTaskGroup(of: Int.self) { group in
        for limit in [300_000, 400, 100, 200, 0] {
          group.addTask {
            try? await script.waitForNews(stdout: 0, stderr: 0, atMost: .milliseconds(limit))
            return limit
          }
        }
        var order: [Int] = []
        while order.count < 4, let limit = await group.next() { order.append(limit) }
        group.cancelAll()
        return order
      }
      #expect(Set(order) == [0, 100, 200, 400])
      #expect(script.outputSize(.stdout) == 0)
      try writeTestFile("\(folder)/go", "")
      try writeTestFile("\(folder)/end", "")
      #expect(try await script.wait() == .exited(0))
    }
  }

  @Test("waiting can be given up")
  func cancelled() async throws {
    try await withTemporaryFolder { folder in
      let script = try await RunnerFixture.runner(folder).start(id: "a", Self.script(folder))
      let waiting = Task {
        while true { try await script.waitForNews(stdout: 0, stderr: 0, atMost: .seconds(300)) }
      }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
      try writeTestFile("\(folder)/go", "")
      try writeTestFile("\(folder)/end", "")
      #expect(try await script.wait() == .exited(0))
    }
  }
}
