import Files
import Formats
import Glibc
import TestSupport
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(10))) struct ScriptRunnerTests {
  private func sh(_ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"]) -> ScriptSpec {
    ScriptSpec(["/bin/sh", "-c", script], environment: environment)
  }

  private func text(_ script: RunningScript, _ stream: OutputStream = .stdout) throws -> String {
    String(decoding: try script.readOutput(stream, offset: 0, maximum: 1 << 20), as: UTF8.self)
  }

  /// Waits for a file that a script writes.
  private func appearance(of path: String) async throws {
    while try Files.size(path) ?? 0 == 0 { try await Task.sleep(for: .milliseconds(5)) }
  }

  @Test(
    "brings home how a script ended",
    arguments: [
      ("exit 0", ScriptExit.exited(0)), ("exit 7", .exited(7)), ("kill -TERM $$", .signalled(15)),
      ("kill -KILL $$", .signalled(9)),
    ])
  func endings(_ script: String, _ exit: ScriptExit) async throws {
    try await withTemporaryFolder { folder in
      let running = try await RunnerFixture.runner(folder).start(id: "a", sh(script))
      #expect(try await running.wait() == exit)
      #expect(try running.exitIfEnded() == exit)
      #expect(try running.endedAt() != nil)
    }
  }

  @Test("says why a script could not be executed")
  func notStarted() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/plain", "#!/bin/sh\n")
      try writeTestFile("\(folder)/no-interpreter", "#!/nowhere/sh\n", mode: 0o755)
      let runner = RunnerFixture.runner(folder)
      let cases = [
        ("none", "there is no such file"), ("plain", "not executable"), ("no-interpreter", "interpreter"),
      ]
      for (name, text) in cases {
        let script = try await runner.start(id: name, ScriptSpec(["\(folder)/\(name)"]))
        guard case .notStarted(let reason) = try await script.wait() else {
          Issue.record("\(name) was started")
          continue
        }
        #expect(reason.contains(text) && reason.contains("\(folder)/\(name)"))
      }
      let elsewhere = try await runner.start(id: "dir", ScriptSpec(["/bin/true"], directory: "\(folder)/none"))
      guard case .notStarted = try await elsewhere.wait() else { throw DroverError(.failed, "was started") }
    }
  }

  @Test("gives a script what its spec says, and nothing of its starter")
  func isolation() async throws {
    try await withTemporaryFolder { folder in
      var spec = sh(
        "pwd; umask; cat; nice; ls /proc/self/fd; env | sort; echo oops >&2",
        environment: ["PATH": "/usr/bin:/bin", "A": "b c"])
      spec.directory = "/usr"
      spec.umask = 0o027
      spec.niceness = 5
      let script = try await RunnerFixture.runner(folder).start(id: "a", spec)
      #expect(try await script.wait() == .exited(0))
      let niceness = min(19, getpriority(__priority_which_t(0), 0) + 5)
      #expect(try text(script) == "/usr\n0027\n\(niceness)\n0\n1\n2\n3\nA=b c\nPATH=/usr/bin:/bin\nPWD=/usr\n")
      #expect(try text(script, .stderr) == "oops\n")
    }
  }

  @Test("runs a script as another user", .enabled(if: getuid() == 0, "needs root"))
  func user() async throws {
    try await withTemporaryFolder { folder in
      var spec = sh("id -u; id -g; id -G")
      spec.uid = 65_534
      spec.gid = 65_533
      let script = try await RunnerFixture.runner(folder).start(id: "a", spec)
      #expect(try await script.wait() == .exited(0))
      #expect(try text(script) == "65534\n65533\n65533\n")
    }
  }

  @Test("a hundred starts of one id, by one process, run the script once")
  func concurrentStarts() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let spec = sh("echo ran >> \(folder)/count")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<100 {
          group.addTask {
            let exit = try await runner.start(id: "a", spec).wait()
            #expect(exit == .exited(0))
          }
        }
        try await group.waitForAll()
      }
      #expect(Files.textIfPresent("\(folder)/count") == "ran\n")
    }
  }

  @Test("starts of one id by several processes run the script once, and all of them learn how it ended")
  func concurrentProcesses() async throws {
    try await withTemporaryFolder { folder in
      let outputs = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<12 {
          group.addTask {
            try await Command(
              RunnerFixture.path, "start", "\(folder)/runs", "a", "/bin/sh", "-c",
              "echo ran >> \(folder)/count; sleep 0.3; exit 4"
            ).run().text
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outputs == Array(repeating: "started a\nended exited with 4\n", count: 12))
      #expect(Files.textIfPresent("\(folder)/count") == "ran\n")
    }
  }

  @Test("a script outlives the killed process that started it, and is found again")
  func killedStarter() async throws {
    try await withTemporaryFolder { folder in
      let starter = try DetachedProcess(
        [
          RunnerFixture.path, "start", "\(folder)/runs", "a", "/bin/sh", "-c",
          "echo ran >> \(folder)/count; while [ ! -e \(folder)/go ]; do sleep 0.02; done; echo done; exit 5",
        ], environment: Environment.current())
      try await appearance(of: "\(folder)/count")
      kill(pid_t(starter.pid), SIGKILL)
      #expect(try await starter.ending() == .signalled(9))

      let runner = RunnerFixture.runner(folder)
      let script = try #require(try runner.attach(id: "a"))
      #expect(try script.exitIfEnded() == nil)
      try writeTestFile("\(folder)/go", "")
      let again = try await runner.start(id: "a", sh("echo twice >> \(folder)/count"))
      #expect(try await script.wait() == .exited(5))
      #expect(try await again.wait() == .exited(5))
      #expect(try text(script) == "done\n")
      #expect(Files.textIfPresent("\(folder)/count") == "ran\n")
    }
  }

  @Test("killed at any moment of a start and started again, a script runs once", arguments: 0..<25)
  func killedAnywhere(_ attempt: Int) async throws {
    try await withTemporaryFolder { folder in
      let command = "echo ran >> \(folder)/count; exit 6"
      let starter = try DetachedProcess(
        [RunnerFixture.path, "start", "\(folder)/runs", "a", "/bin/sh", "-c", command],
        environment: Environment.current())
      try await Task.sleep(for: .milliseconds(attempt * 4))
      kill(pid_t(starter.pid), SIGKILL)
      _ = try await starter.ending()
      let script = try await RunnerFixture.runner(folder).start(id: "a", sh(command))
      #expect(try await script.wait() == .exited(6))
      #expect(Files.textIfPresent("\(folder)/count") == "ran\n")
    }
  }

  @Test("when the runner is killed the status is lost, which is said once the script has ended, and nothing runs twice")
  func killedRunner() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let spec = sh("echo ran >> \(folder)/count; while [ ! -e \(folder)/go ]; do sleep 0.02; done")
      let script = try await runner.start(id: "a", spec)
      try await appearance(of: "\(folder)/count")
      let identity = try #require(try script.folder.runner())
      try identity.signal(SIGKILL)
      try await identity.waitForExit()
      #expect(try script.exitIfEnded() == nil)
      let waiting = Task { try await script.wait() }
      try writeTestFile("\(folder)/go", "")
      #expect(try await waiting.value == .lost)
      #expect(try await runner.start(id: "a", spec).wait() == .lost)
      #expect(Files.textIfPresent("\(folder)/count") == "ran\n")
      try await runner.remove(id: "a")
      #expect(try runner.attach(id: "a") == nil)
    }
  }

  @Test("processes that a script leaves behind do not delay its end; terminate ends them")
  func grandchildren() async throws {
    try await withTemporaryFolder { folder in
      let script = try await RunnerFixture.runner(folder).start(id: "a", sh("sleep 60 & echo $!; exit 2"))
      #expect(try await script.wait() == .exited(2))
      let pid = try #require(Pidfile.parse(try text(script)))
      #expect(ProcessIdentity(livingPid: pid) != nil)
      #expect(try await script.terminate(grace: .seconds(5)) == .exited(2))
      #expect(ProcessIdentity(livingPid: pid) == nil)
    }
  }

  @Test("terminate asks first, and then ends by force what is left")
  func terminate() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let polite = try await runner.start(
        id: "polite", sh("trap 'echo bye; exit 99' TERM; echo ready; while :; do sleep 0.05; done"))
      try await appearance(of: polite.stdoutPath)
      #expect(try await polite.terminate(grace: .seconds(20)) == .exited(99))
      #expect(try text(polite) == "ready\nbye\n")

      let stubborn = try await runner.start(
        id: "stubborn", sh("trap '' TERM; sleep 60 & echo $!; while :; do sleep 0.05; done"))
      try await appearance(of: stubborn.stdoutPath)
      let child = try #require(Pidfile.parse(try text(stubborn)))
      #expect(try await stubborn.terminate(grace: .milliseconds(200)) == .signalled(9))
      #expect(ProcessIdentity(livingPid: child) == nil)
      #expect(try stubborn.signal(SIGTERM) == false)
    }
  }

  @Test("output is read in pieces, while it is written and after; what goes to a log is added to it")
  func output() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let big = try await runner.start(id: "big", sh("yes 0123456 | head -c 4000000; printf end >&2"))
      var offset = 0
      var count = 0
      while true {
        let exit = try big.exitIfEnded()
        let piece = try big.readOutput(.stdout, offset: offset, maximum: 100_000)
        #expect(piece.count <= 100_000)
        offset += piece.count
        count += piece.filter { $0 == UInt8(ascii: "\n") }.count
        if piece.isEmpty, exit != nil { break }
      }
      #expect(offset == 4_000_000 && count == 500_000)
      #expect(big.outputSize(.stdout) == 4_000_000 && big.outputSize(.stderr) == 3)

      try writeTestFile("\(folder)/log", "before\n", mode: 0o640)
      var spec = sh("echo after; echo error >&2")
      spec.stdout = .append("\(folder)/log")
      spec.stderr = .append("\(folder)/error.log")
      let appended = try await runner.start(id: "log", spec)
      #expect(try await appended.wait() == .exited(0))
      #expect(Files.textIfPresent("\(folder)/log") == "before\nafter\n")
      var information = stat()
      #expect(stat("\(folder)/error.log", &information) == 0 && information.st_mode & 0o777 == 0o640)
    }
  }

  @Test("what a script is given is in no file, neither while it runs nor after, also when its runner is killed")
  func secretInput() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      var spec = sh(
        "printf \"$TOKEN\" | wc -c; while [ ! -e \(folder)/go ]; do sleep 0.02; done",
        environment: ["PATH": "/usr/bin:/bin", "TOKEN": "env-secret"])
      spec.arguments.append("argument-secret")
      spec.outputLimit = 1000
      func holdsSecrets() throws -> Bool {
        let run = "\(runner.directory)/a"
        return try Files.names(in: run).contains { try Files.text("\(run)/\($0)")?.contains("secret") == true }
      }
      let script = try await runner.start(id: "a", spec)
      try await appearance(of: script.stdoutPath)
      #expect(try !holdsSecrets())
      let pid = try #require(try script.folder.runner()).pid
      // A moment after the script was begun it has let go of what it was handed.
      var held = ""
      while !held.hasPrefix("/dev/null\n/dev/null\n/dev/null\n") {
        held = try await Command("sh", "-c", "readlink /proc/\(pid)/fd/*").run().text
      }
      #expect(!held.contains("memfd"))
      try writeTestFile("\(folder)/go", "")
      #expect(try await script.wait() == .exited(0))
      #expect(try !holdsSecrets())
      // Asked again for the same run, it is the one that has ended.
      let again = try await runner.start(id: "a", spec)
      #expect(try again.exitIfEnded() == .exited(0))
      #expect(again.spec.outputLimit == 1000 && again.spec.environment.isEmpty && again.spec.arguments.count == 1)
      #expect(String(decoding: try again.readOutput(.stdout, offset: 0, maximum: 100), as: UTF8.self) == "10\n")
    }
  }

  @Test("the end is read of a journal whose last line was cut off and written again, and of one with more in it")
  func journal() async throws {
    try await withTemporaryFolder { folder in
      let run = RunFolder(path: folder)
      func journal(_ text: String) throws -> RunFolder {
        try Files.replace(run.journalFile, with: Array(text.utf8))
        return RunFolder(path: folder)
      }
      let lines = [
        #"{"runner":{"pid":7,"start":"8","boot":"b"}}"#, #"{"script":{"pid":9,"start":"10","boot":"b"}}"#,
        #"{"later":true}"#, #"{"exit":{"ended":5,"stdout_size":3,"code":4}}"#,
      ]
      let whole = try journal(lines.map { $0 + "\n" }.joined())
      #expect(try whole.runner()?.pid == 7 && whole.script()?.pid == 9)
      #expect(try whole.exit()?.exit == .exited(4) && whole.exit()?.sizes == [.stdout: 3])
      for count in 0..<lines[3].utf8.count {
        let cut = try journal(lines[..<3].map { $0 + "\n" }.joined() + String(lines[3].prefix(count)))
        #expect(try cut.exit() == nil && cut.script()?.pid == 9 && cut.isDecided())
      }
      let empty = try journal("")
      #expect(try empty.runner() == nil && empty.exit() == nil && empty.isDecided())
    }
  }

  @Test("runs are listed, kept while they run, and removed when asked")
  func list() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      #expect(try runner.list() == [])
      #expect(try runner.attach(id: "b") == nil)
      let script = try await runner.start(id: "b", sh("sleep 60"))
      _ = try await runner.start(id: "a", sh("exit 0")).wait()
      #expect(try runner.list() == ["a", "b"])
      await #expect(throws: DroverError.self) { try await runner.remove(id: "b") }
      #expect(try await script.terminate(grace: .seconds(5)) == .signalled(15))
      try await runner.remove(id: "b")
      try await runner.remove(id: "b")
      #expect(try runner.list() == ["a"])
    }
  }

  @Test("an id cannot lead out of its folder", arguments: ["", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n", "ä"])
  func ids(_ id: String) async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      await #expect(throws: DroverError.self) { try await runner.start(id: id, sh("true")) }
      #expect(throws: DroverError.self) { try runner.attach(id: id) }
      let names = try Files.names(in: folder)
      #expect(names.isEmpty)
    }
  }

  @Test("a runner that cannot be run is an error that says what it printed")
  func badRunner() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/broken", "#!/bin/sh\necho broken >&2; exit 1\n")
      #expect(chmod("\(folder)/broken", 0o755) == 0)
      let broken = ScriptRunner(directory: "\(folder)/runs", runnerProgram: "\(folder)/broken")
      let error = await #expect(throws: DroverError.self) { try await broken.start(id: "a", sh("true")) }
      #expect(error?.message.contains("broken") ?? false)
      let missing = ScriptRunner(directory: "\(folder)/runs", runnerProgram: "/nowhere/runner")
      await #expect(throws: DroverError.self) { try await missing.start(id: "a", sh("true")) }
      // Nothing was run, so that it can be tried again.
      let good = try await RunnerFixture.runner(folder).start(id: "a", sh("true"))
      #expect(try await good.wait() == .exited(0))
    }
  }

  @Test("what a power cut leaves of a run is lost if it had begun, and begun if not", arguments: [true, false])
  func powerCut(hadBegun: Bool) async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let spec = sh("echo ran >> \(folder)/count")
      let run = "\(folder)/runs/a"
      try Files.makeFolder(run)
      try Files.replace("\(run)/spec", with: [])
      if hadBegun {
        let before = ProcessIdentity(pid: 1, startTicks: 1, bootID: "before")
        try Files.replace("\(run)/journal", with: JSON.bytes(["runner": before.value]) + Array("\n\0\0".utf8))
      }
      #expect(try runner.attach(id: "a") == nil)
      let script = try await runner.start(id: "a", spec)
      #expect(try await script.wait() == (hadBegun ? .lost : .exited(0)))
      #expect(script.spec == spec.kept)
      #expect(try Files.exists("\(folder)/count") != hadBegun)
      try await runner.remove(id: "a")
      #expect(try runner.list().isEmpty)
    }
  }

  @Test("an output file that cannot be opened is said, and a run whose folder is taken away ends")
  func badPlaces() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      for (name, spec) in [
        ("out", ScriptSpec(["/bin/true"], stdout: .append("\(folder)/none/log"))),
        ("err", ScriptSpec(["/bin/true"], stderr: .append("\(folder)/none/log"))),
      ] {
        let exit = try await runner.start(id: name, spec).wait()
        #expect(exit == .notStarted("opening \(folder)/none/log: No such file or directory"))
      }
      let script = try await runner.start(id: "gone", ScriptSpec(["/bin/sleep", "0.3"]))
      let process = try #require(try script.folder.runner())
      try Files.remove(script.folder.path)
      try await process.waitForExit()
    }
  }
}
