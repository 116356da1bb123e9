import Files
import Formats
import Glibc
import TestSupport
import Testing

@testable import Processes

/// Runs that an agent of a version before journals began, whose program was replaced in a running VM.
@Suite(.timeLimit(.minutes(10))) struct OlderRunTests {
  private static let started = #"{"pid":4194305,"start":"7","boot":"another"}"#
  private static let code = #"{"ended":1,"code":3,"stdout_size":0,"stderr_size":0}"#

  @Test(
    "One is not run again; how it ended is what was written down, or lost",
    arguments: [
      (["started": started], ScriptExit.lost), (["started": started, "exit.json": code], .exited(3)),
      (["started": ""], .lost), (["started": #"{"pid":1"#, "script.json": "{}", "exit.json": "{"], .lost),
    ] as [([String: String], ScriptExit)])
  func ended(files: [String: String], expected: ScriptExit) async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let path = "\(runner.directory)/a"
      try Files.makeFolder(path)
      try Files.replace("\(path)/spec", with: "argument=/bin/sh\0directory=/\0")
      for (name, text) in files { try Files.replace("\(path)/\(name)", with: text) }
      let spec = ScriptSpec(["/bin/sh", "-c", "echo ran > \(folder)/ran"])
      #expect(try await runner.start(id: "a", spec).wait() == expected)
      #expect(try await RunnerFixture.runner(folder).attach(id: "a")?.wait() == expected)
      #expect(try !Files.exists("\(folder)/ran"))
      try await runner.remove(id: "a")
      #expect(try !Files.exists(path))
    }
  }

  @Test("One that still runs is waited for")
  func running() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let path = "\(runner.directory)/a"
      let child = try ChildProcess(["/bin/sleep", "900"])
      let identity = try #require(ProcessIdentity(livingPid: child.pid))
      try Files.makeFolder(path)
      try Files.replace("\(path)/started", with: Self.started)
      try Files.replace("\(path)/script.json", with: JSON.bytes(identity.value))
      let script = try await runner.start(id: "a", ScriptSpec(["/bin/true"]))
      #expect(try script.exitIfEnded() == nil)
      await #expect(throws: DroverError.self) { try await runner.remove(id: "a") }
      child.signal(SIGKILL)
      _ = try await child.ending()
      #expect(try await script.wait() == .lost)
    }
  }
}
