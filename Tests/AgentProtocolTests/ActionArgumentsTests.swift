import AgentProtocol
import Formats
import Testing

@Suite struct ActionArgumentsTests {
  @Test("compile_package's positional arguments are read and written")
  func compile() throws {
    let arguments: [Value] = [
      "b1", "sha256:aa", "redis", "fp.1",
      ["gcc": ["name": "gcc", "version": "9", "sha1": "cc", "blobstore_id": "b2"]],
    ]
    let request = try CompileRequest(arguments: arguments)
    #expect(request.name == "redis" && request.blobstoreID == "b1" && request.digest == "sha256:aa")
    #expect(request.dependencies.map(\.blobstoreID) == ["b2"])
    #expect(request.arguments == arguments)
    #expect(try CompileRequest(arguments: ["b1", "", "redis", "1", .null]).dependencies.isEmpty)
  }

  @Test("compile_package_with_signed_url's argument is read and written")
  func compileSigned() throws {
    let argument: Value = [
      "package_get_signed_url": "https://get", "upload_signed_url": "https://put",
      "blobstore_headers": ["k": "v"], "digest": "aa", "name": "redis", "version": "1",
      "deps": [
        "gcc": [
          "name": "gcc", "version": "9", "sha1": "cc", "blobstore_id": "", "package_get_signed_url": "https://gcc",
        ]
      ],
    ]
    let request = try CompileRequest(signed: argument)
    #expect(request.sourceURL == "https://get" && request.uploadURL == "https://put")
    #expect(request.dependencies[0].signedURL == "https://gcc")
    #expect(request.signedArgument == argument)
  }

  @Test("too few arguments have the agent's text")
  func tooFew() throws {
    let compile = try #require(throws: DroverError.self) { try CompileRequest(arguments: ["a"]) }
    #expect(compile.message == "Extracting method arguments from payload: Not enough arguments, expected 5, got 1")
    let logs = try #require(throws: DroverError.self) { try LogRequest(arguments: []) }
    #expect(logs.message == "Extracting method arguments from payload: Not enough arguments, expected 2, got 0")
    let dns = try #require(throws: DroverError.self) { try SyncDNSRequest(arguments: ["a", "b"]) }
    #expect(dns.message == "Extracting method arguments from payload: Not enough arguments, expected 3, got 2")
  }

  @Test("results have the agent's shapes")
  func results() throws {
    #expect(
      JSON.text(CompileResult(blobstoreID: "b", sha1: "s").value) == #"{"result":{"blobstore_id":"b","sha1":"s"}}"#)
    #expect(JSON.text(CompileResult(blobstoreID: nil, sha1: "s").value) == #"{"result":{"sha1":"s"}}"#)
    #expect(JSON.text(LogResult(blobstoreID: nil, sha1: "s").value) == #"{"sha1":"s"}"#)
    #expect(
      JSON.text(ErrandResult(stdout: "o", stderr: "e", exitCode: 7).value)
        == #"{"stdout":"o","stderr":"e","exit_code":7}"#)
    #expect(try CompileResult(["result": ["sha1": "s"]]) == CompileResult(blobstoreID: nil, sha1: "s"))
  }

  @Test("null log filters are none")
  func logFilters() throws {
    #expect(try LogRequest(arguments: ["job", .null]).filters == [])
    #expect(try LogRequest(arguments: ["job,agent", ["*.log"]]).filters == ["*.log"])
  }

  @Test("read_output keeps within its limits and refuses what is negative")
  func readOutput() throws {
    let request = try ReadOutputRequest(["agent_task_id": "t", "max_bytes": 99_999_999, "wait_ms": 99_999_999])
    #expect(request.maximumBytes == AgentLimits.maximumReadBytes)
    #expect(request.waitMilliseconds == AgentLimits.maximumWaitMilliseconds)
    #expect(request.stdoutOffset == 0 && request.stderrOffset == 0)
    #expect(throws: DroverError.self) { try ReadOutputRequest(["agent_task_id": "t", "stdout_offset": -1]) }
    #expect(throws: DroverError.self) { try ReadOutputRequest([:]) }
    #expect(!request.wantsResult)
    let wanting = ReadOutputRequest(
      taskID: "t", wantsResult: true, logs: LogRequest(types: "job", archiveLimit: 100))
    #expect(try ReadOutputRequest(wanting.value) == wanting)
    var reply = ReadOutputReply(
      stdout: "YQ==", stderr: "", stdoutOffset: 1, stderrOffset: 0, stdoutSize: 1, stderrSize: 0, ended: true)
    for result: AgentResponse? in [nil, .value(["exit_code": 1]), .exception(message: "Task t result: no")] {
      reply.result = result
      reply.logs = result.map { _ in LogResult(blobstoreID: nil, sha1: "s", archive: [1]) }
      #expect(try ReadOutputReply(reply.value) == reply)
      let begun = AgentTaskReply(taskID: "t", output: reply)
      #expect(AgentTaskReply(begun.value) == begun)
    }
  }

  @Test("a short archive of logs is asked for within limits, and comes as base64")
  func shortArchive() throws {
    let request = LogRequest(types: "job", uploadURL: "u", archiveLimit: 100)
    #expect(try LogRequest(request.signedArgument) == request)
    #expect(LogRequest(types: "job").signedArgument["archive_limit"] == nil)
    let greedy = try LogRequest(["log_type": "job", "filters": [], "archive_limit": 99_999_999])
    #expect(greedy.archiveLimit == AgentLimits.maximumArchiveBytes)
    let result = LogResult(blobstoreID: nil, sha1: "s", archive: [0, 255])
    #expect(try LogResult(result.value) == result)
    #expect(throws: DroverError.self) { try LogResult(["sha1": "s", "archive": "%"]) }
  }

  @Test("errand options are ours and optional")
  func errandOptions() throws {
    let options = ErrandOptions(arguments: ["--verbose", "a b"], environment: ["B": "2", "A": "1"])
    #expect(JSON.text(options.value) == #"{"arguments":["--verbose","a b"],"env":{"A":"1","B":"2"}}"#)
    #expect(try ErrandOptions(options.value) == options)
    #expect(try ErrandOptions([:]) == ErrandOptions())
  }
}
