import AgentProtocol
import Files
import Formats
import Processes
import Surroundings
import Testing

@testable import Agent

@Suite struct ErrandTests {
  static func errand(_ script: String, _ test: TestAgent) async throws {
    let release = TestRelease(jobs: [("job", ["bin/run": script, "monit": ""])])
    _ = try await test.call("apply", release.spec(for: test).value)
  }

  @Test("an errand that is not there, not executable, or not the spec's is refused with the agent's texts")
  func refusals() async throws {
    try await TestAgent.with { test in
      await #expect(throws: DroverError.self) { try await test.call("run_errand") }
      let release = TestRelease(jobs: [("job", ["config/a": "", "monit": ""])])
      _ = try await test.call("apply", release.spec(for: test).value)
      for (name, text) in [
        ("other", "Could not find errand other"), ("../job", "Could not find errand ../job"),
        ("job", "Running errand script: cannot run \(test.base)/jobs/job/bin/run: there is no such file"),
      ] {
        let task = try await test.begin("run_errand", .string(name))
        let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
        #expect(error.message.hasSuffix(text), "\(error.message)")
      }
    }
  }

  private static func release(_ script: String) -> TestRelease {
    var release = TestRelease(jobs: [("smoke", ["execute": script, "bin/run": "#!/bin/sh\necho wrong\n"])])
    release.errands = ["smoke"]
    return release
  }

  @Test("an errand of a release runs its execute, with arguments, environment and exit code")
  func execute() async throws {
    try await TestAgent.with { test in
      let script = "#!/bin/bash\necho \"$0 $LEVEL $*\"; exit 7\n"
      _ = try await test.call("apply", Self.release(script).spec(for: test).value)
      let options = ErrandOptions(arguments: ["a b", ""], environment: ["LEVEL": "high"])
      let result = try ErrandResult(await test.call("run_errand", "smoke", options.value))
      #expect(result == .init(stdout: "\(test.base)/errands/smoke/execute high a b \n", stderr: "", exitCode: 7))
      // What it was given is kept nowhere when it is over: it may have been secret.
      let kept = try await Command("grep", "-rl", "-e", "LEVEL", "-e", "argument=a b", "\(test.base)/bosh").result()
      #expect(kept.text.isEmpty, "\(kept.text)")
      // It is the spec's first template, so it needs no name.
      #expect(try ErrandResult(await test.call("run_errand")).exitCode == 7)
    }
  }

  @Test(
    "an execute that cannot be run says why",
    arguments: [
      ("", ErrandStartFailure.notFound), ("#!/nowhere/bash\n", .notFound), ("\u{7F}ELF", .notExecutable),
    ])
  func cannotExecute(_ script: String, _ expected: ErrandStartFailure) async throws {
    try await TestAgent.with { test in
      var release = Self.release(script)
      if script.isEmpty { release.jobs[0].files["execute"] = nil }
      _ = try await test.call("apply", release.spec(for: test).value)
      let task = try await test.begin("run_errand", "smoke")
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(ErrandStartFailure(exception: error.message) == expected, "\(error.message)")
    }
  }

  @Test(
    "scripts of an errand that are called like a job's lifecycle scripts are not run, and its monit file is not read")
  func noLifecycle() async throws {
    try await TestAgent.with { test in
      let mark = "#!/bin/bash\necho $0 >> \(test.base)/ran\n"
      let names = ["pre-start", "post-start", "post-deploy", "pre-stop", "drain", "post-stop"]
      var release = TestRelease(jobs: [
        ("web", ["bin/pre-start": mark, "monit": ""]),
        ("smoke", ["execute": mark, "monit": "nonsense"].merging(names.map { ("bin/\($0)", mark) }) { $1 }),
      ])
      release.errands = ["smoke"]
      _ = try await test.call("apply", release.spec(for: test).value)
      for name in names where name != "drain" { _ = try await test.call("run_script", .string(name), [:]) }
      _ = try await test.call("start")
      _ = try await test.call("drain", "shutdown")
      _ = try await test.call("stop")
      #expect(Files.textIfPresent("\(test.base)/ran") == "\(test.base)/jobs/web/bin/pre-start\n")
      #expect(try ErrandResult(await test.call("run_errand", "smoke")).exitCode == 0)
    }
  }

  @Test("an argument that is longer than a program can be given is refused, and nothing is run")
  func longArgument() async throws {
    try await TestAgent.with { test in
      try await Self.errand("#!/bin/bash\necho $# ${#1} >> \(test.base)/ran\n", test)
      for (length, isFine) in [(131_071, true), (131_072, false)] {
        let options = ErrandOptions(arguments: [String(repeating: "x", count: length)])
        let task = try await test.begin("run_errand", "job", options.value)
        if isFine {
          #expect(try ErrandResult(await test.result(of: task)).exitCode == 0)
        } else {
          let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
          #expect(error.message.contains("rgument list too long"), "\(error.message)")
        }
      }
      #expect(Files.textIfPresent("\(test.base)/ran") == "1 131071\n")
    }
  }

  @Test("what get_task answers comes with the last of the output, if it is asked for and there is room")
  func resultWithOutput() async throws {
    try await TestAgent.with { test in
      try await Self.errand(
        "#!/bin/bash\nhead -c $1 /dev/zero\nwhile [ ! -e \(test.base)/go$1 ]; do sleep 0.02; done\nexit 3\n", test)
      for (length, hasRoom) in [("3", true), ("600000", false)] {
        let task = try await test.begin("run_errand", "job", ErrandOptions(arguments: [length]).value)
        var request = ReadOutputRequest(taskID: task, waitMilliseconds: 10_000, wantsResult: true)
        let first = try await read(request, test)
        // Values of this length are not for messages.
        let hasOutputAlone = !first.ended && first.stdoutOffset > 0 && first.result == nil
        #expect(hasOutputAlone)
        try Files.replace("\(test.base)/go\(length)", with: [])
        let result = try ErrandResult(await test.result(of: task))
        #expect(result.exitCode == 3)
        // All of it again, and with it what get_task says.
        let whole = try await read(request, test)
        #expect(whole.ended && String(whole.stdoutOffset) == length)
        let found = try whole.result.map { try ErrandResult(TestAgent.value($0)) }
        let isFound = found == result
        #expect(isFound == hasRoom)
        request.wantsResult = false
        let isLeftOut = try await read(request, test).result == nil
        #expect(isLeftOut)
      }
      let failed = try await test.begin("run_errand", "other")
      let request = ReadOutputRequest(taskID: failed, waitMilliseconds: 10_000, wantsResult: true)
      let answer = try await read(request, test).result
      #expect(try await answer == test.request("get_task", [.string(failed)]))
      guard case .exception(let text)? = answer else {
        throw DroverError(.failed, "found \(String(describing: answer))")
      }
      #expect(text.hasSuffix("Could not find errand other"))
    }
  }

  @Test("a signal is 128 plus its number")
  func signal() async throws {
    try await TestAgent.with { test in
      try await Self.errand("#!/bin/bash\nkill -9 $$\n", test)
      #expect(try ErrandResult(await test.call("run_errand")).exitCode == 137)
    }
  }

  @Test("an answer comes with the result when one is wanted, and one that is too long is refused")
  func answer() async throws {
    try await TestAgent.with { test in
      try await Self.errand(
        """
        #!/bin/bash
        [ -n "$DROVER_RESULT_FILE" ] || exit 4
        if [ "$1" = long ]; then head -c 300000 /dev/zero > "$DROVER_RESULT_FILE"; exit 0; fi
        if [ "$1" != none ]; then printf '{"id": "1"}' > "$DROVER_RESULT_FILE"; fi

        """, test)
      func run(_ options: ErrandOptions) async throws -> ErrandResult {
        try ErrandResult(await test.call("run_errand", "job", options.value))
      }
      #expect(try await run(ErrandOptions()).exitCode == 4)
      #expect(try await run(ErrandOptions(wantsAnswer: true)).answer == Array(#"{"id": "1"}"#.utf8))
      #expect(try await run(ErrandOptions(arguments: ["none"], wantsAnswer: true)).answer == nil)
      let error = try await #require(throws: DroverError.self) {
        try await run(ErrandOptions(arguments: ["long"], wantsAnswer: true))
      }
      #expect(error.message.contains("300000 bytes"), "\(error)")
    }
  }

  @Test("output of any size comes back as head and tail, and the whole of it can be read by offset")
  func oversizeOutput() async throws {
    try await TestAgent.with { test in
      try await Self.errand(
        "#!/bin/bash\necho begin; head -c 3000000 /dev/zero | tr '\\0' '\\1'; echo end; echo small >&2; exit 3\n", test)
      let task = try await test.begin("run_errand")
      let result = try ErrandResult(await test.result(of: task))
      #expect(result.exitCode == 3)
      #expect(result.stdout.hasPrefix("begin\n") && result.stdout.hasSuffix("end\n"))
      #expect(result.stdout.contains(AgentTexts.truncationMark))
      #expect(result.stderr == "small\n")
      let output = try await readAll(task, test)
      #expect(output.stdout.count == 3_000_010)
      #expect(String(decoding: output.stderr, as: UTF8.self) == "small\n")
    }
  }

  @Test("output can be read while the errand runs, waiting for it without holding up the agent")
  func liveOutput() async throws {
    try await TestAgent.with { test in
      try await Self.errand(
        """
        #!/bin/bash
        while [ ! -e \(test.base)/go ]; do sleep 0.02; done
        echo one
        while [ ! -e \(test.base)/on ]; do sleep 0.02; done
        echo two; echo err >&2

        """, test)
      let task = try await test.begin("run_errand")
      let nothing = try await read(ReadOutputRequest(taskID: task, waitMilliseconds: 50), test)
      #expect(nothing.stdout.isEmpty && !nothing.ended && nothing.stdoutOffset == 0)

      async let waiting = read(ReadOutputRequest(taskID: task, waitMilliseconds: 20_000), test)
      #expect(try await test.call("ping") == "pong")
      try Files.replace("\(test.base)/go", with: [])
      let first = try await waiting
      #expect(Base64.decode(first.stdout) == Array("one\n".utf8))
      #expect(first.stdoutOffset == 4 && !first.ended)

      try Files.replace("\(test.base)/on", with: [])
      let rest = try await readAll(task, test, stdoutOffset: 4)
      #expect(String(decoding: rest.stdout, as: UTF8.self) == "two\n")
      #expect(String(decoding: rest.stderr, as: UTF8.self) == "err\n")
      let window = try await read(
        ReadOutputRequest(taskID: task, stdoutOffset: 1, stderrOffset: 4, maximumBytes: 2), test)
      #expect(Base64.decode(window.stdout) == Array("ne".utf8))
      #expect(window.stdoutOffset == 3 && window.stdoutSize == 8 && !window.ended)
    }
  }

  @Test("a cancelled errand gets SIGTERM, and its own exit code and output come back; another one goes on")
  func cancel() async throws {
    try await TestAgent.with { test in
      try await Self.errand(
        """
        #!/bin/bash
        trap 'echo stopped; exit 99' TERM
        echo started >> \(test.base)/started
        while [ ! -e \(test.base)/go ]; do sleep 0.02; done
        echo done

        """, test)
      let one = try await test.begin("run_errand")
      let other = try await test.begin("run_errand")
      try await waitFor("started\nstarted\n") { Files.textIfPresent("\(test.base)/started") }
      #expect(try await test.call("cancel_task", .string(one)) == "canceled")
      #expect(try await test.call("cancel_task", .string(one)) == "canceled")
      let result = try ErrandResult(await test.result(of: one))
      #expect(result.exitCode == 99 && result.stdout == "stopped\n")
      #expect(try await test.call("cancel_task", .string(one)) == "canceled")
      // A second cancellation must not hit what runs next (trap 2 of agent.md 22).
      let still = try await test.request("get_task", [.string(other)])
      #expect(AgentTaskReply(try TestAgent.value(still)) != nil)
      try Files.replace("\(test.base)/go", with: [])
      #expect(try ErrandResult(await test.result(of: other)).stdout == "done\n")
    }
  }

  @Test("the same request is the same task, and its script runs once")
  func repeatedRequest() async throws {
    try await TestAgent.with { test in
      try await Self.errand("#!/bin/bash\necho x >> \(test.base)/count\n", test)
      var tasks: Set<String> = []
      for _ in 0..<5 {
        let response = try await test.request("run_errand", ["job"], id: "request-1")
        tasks.insert(try #require(AgentTaskReply(try TestAgent.value(response))).taskID)
      }
      #expect(tasks.count == 1)
      _ = try await test.result(of: try #require(tasks.first))
      let late = try await test.request("run_errand", ["job"], id: "request-1")
      #expect(AgentTaskReply(try TestAgent.value(late))?.taskID == tasks.first)
      #expect(Files.textIfPresent("\(test.base)/count") == "x\n")
    }
  }
}

func read(_ request: ReadOutputRequest, _ test: TestAgent) async throws -> ReadOutputReply {
  try ReadOutputReply(TestAgent.value(await test.request("read_output", [request.value], timeout: .seconds(40))))
}

func readAll(
  _ task: String, _ test: TestAgent, stdoutOffset: Int = 0
) async throws -> (stdout: [UInt8], stderr: [UInt8]) {
  var request = ReadOutputRequest(taskID: task, stdoutOffset: stdoutOffset, waitMilliseconds: 10_000)
  var (out, err): ([UInt8], [UInt8]) = ([], [])
  while true {
    let reply = try await read(request, test)
    out += try #require(Base64.decode(reply.stdout))
    err += try #require(Base64.decode(reply.stderr))
    if reply.ended { return (out, err) }
    request.stdoutOffset = reply.stdoutOffset
    request.stderrOffset = reply.stderrOffset
  }
}
