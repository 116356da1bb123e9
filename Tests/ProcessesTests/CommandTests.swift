import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct CommandTests {
  private func shell(_ script: String) -> Command { Command("sh", "-c", script) }

  @Test("captures output and errors, and feeds input")
  func output() async throws {
    var command = shell("cat; echo more; echo oops >&2")
    command.input = Array("given\n".utf8)
    let result = try await command.run()
    #expect(result.text == "given\nmore\n")
    #expect(result.lastErrorLines() == "oops")
  }

  @Test("gives a program the environment and folder it is told, and nothing else")
  func isolation() async throws {
    var command = Command("/usr/bin/env")
    command.environment = ["A": "1", "B": "two words"]
    #expect(try await command.run().text.split(separator: "\n").sorted() == ["A=1", "B=two words"])
    command = Command("pwd", "-P")
    command.directory = "/usr"
    #expect(try await command.run().text == "/usr\n")
    #expect(try await Command("ls", "/proc/self/fd").run().text == "0\n1\n2\n3\n")
  }

  @Test("an exit status other than 0 is an error with the command, the status and what it said")
  func failure() async throws {
    let error = await #expect(throws: DroverError.self) {
      try await shell("echo one >&2; echo two >&2; exit 3").run()
    }
    #expect(error?.message == "sh -c 'echo one >&2; echo two >&2; exit 3': exited with 3: one; two")
    #expect(try await shell("exit 3").result().ending == .exited(3))
    #expect(try await shell("kill -9 $$").result().ending == .signalled(9))
  }

  @Test("a program that is not there or may not run is an error that says so")
  func missing() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/plain", "#!/bin/sh\n")
      try writeTestFile("\(folder)/no-interpreter", "#!/nowhere/sh\n", mode: 0o755)
      try writeTestFile("\(folder)/no-line", "echo\n", mode: 0o755)
      let cases: [(String, DroverError.Code, String)] = [
        ("no-such-program-anywhere", .notFound, "is not installed"),
        ("\(folder)/none", .notFound, "there is no such file"),
        ("\(folder)/plain", .forbidden, "is not executable"), (folder, .forbidden, "it is a folder"),
        ("\(folder)/no-interpreter", .notFound, "interpreter"), ("\(folder)/no-line", .failed, "begins with #!"),
      ]
      for (program, code, text) in cases {
        let error = await #expect(throws: DroverError.self) { try await Command(program).run() }
        #expect(error?.code == code, "\(program)")
        #expect(error?.message.contains(text) ?? false, "\(program): \(error?.message ?? "")")
      }
      var elsewhere = Command("true")
      elsewhere.directory = "\(folder)/none"
      let error = await #expect(throws: DroverError.self) { try await elsewhere.run() }
      #expect(error?.message.contains("\(folder)/none") ?? false)
    }
  }

  @Test("processes that it leaves behind do not delay its end")
  func grandchildren() async throws {
    let result = try await shell("sleep 60 & echo $!").run()
    let pid = try #require(Pidfile.parse(result.text))
    let left = try #require(ProcessIdentity(livingPid: pid))
    try left.signal(SIGKILL)
    try await left.waitForExit()
  }

  @Test("when time is over, it and its children are ended")
  func timeout() async throws {
    try await withTemporaryFolder { folder in
      var command = shell("sleep 60 & echo $! > \(folder)/pid; wait")
      command.timeout = .milliseconds(500)
      let error = await #expect(throws: DroverError.self) { try await command.run() }
      #expect(error?.code == .timeout)
      let pid = try #require(try Pidfile("\(folder)/pid").read())
      #expect(ProcessIdentity(livingPid: pid) == nil)
    }
  }

  @Test("when the task is cancelled, it is ended")
  func cancellation() async throws {
    try await withTemporaryFolder { folder in
      let command = shell("echo $$ > \(folder)/new; mv \(folder)/new \(folder)/pid; sleep 60")
      let task = Task { try await command.run() }
      while try !Files.exists("\(folder)/pid") { try await Task.sleep(for: .milliseconds(5)) }
      let pid = try #require(try Pidfile("\(folder)/pid").read())
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(ProcessIdentity(livingPid: pid) == nil)
    }
  }

  @Test("more output than is expected is an error, of the errors the last part is kept")
  func tooMuch() async throws {
    var command = shell("head -c 5000 /dev/zero")
    command.maximumOutput = 4999
    let error = await #expect(throws: DroverError.self) { try await command.run() }
    #expect(error?.code == .tooLarge)
    let noisy = try await shell("head -c 3000000 /dev/zero; (yes x | head -c 200000; echo end) >&2").run()
    #expect(noisy.output.count == 3_000_000)
    #expect(noisy.errors.count == 64 << 10 && noisy.lastErrorLines(1) == "end")
  }

  @Test("two hundred at a time do not mix up")
  func many() async throws {
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<200 { group.addTask { try await Command("echo", "\(number)").run().text } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(texts == Set((0..<200).map { "\($0)\n" }))
  }
}
