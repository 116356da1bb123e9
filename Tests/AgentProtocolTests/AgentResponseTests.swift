import AgentProtocol
import Formats
import Testing

@Suite struct AgentResponseTests {
  @Test(
    "answers have the agent's shape and are read back",
    arguments: [
      (AgentResponse.value("pong"), #"{"value":"pong"}"#),
      (.value(.null), #"{"value":null}"#),
      (
        .value(AgentTaskReply(taskID: "t1").value), #"{"value":{"agent_task_id":"t1","state":"running"}}"#
      ),
      (
        .exception(message: "unknown message foo"), #"{"exception":{"message":"unknown message foo"}}"#
      ),
    ])
  func shapes(response: AgentResponse, text: String) throws {
    #expect(String(decoding: response.bytes(), as: UTF8.self) == text)
    #expect(try AgentResponse(Array(text.utf8)) == response)
  }

  @Test("an old agent's exception with more members is understood")
  func oldException() throws {
    let text = #"{"exception":{"message":"no","backtrace":["a"],"blobstore_id":"b"}}"#
    #expect(try AgentResponse(Array(text.utf8)) == .exception(message: "no"))
  }

  @Test("neither value nor exception is an error")
  func neither() {
    #expect(throws: DroverError.self) { try AgentResponse(Array("{}".utf8)) }
  }

  @Test("a value beyond the limit becomes an exception, a message keeps head and tail")
  func limits() throws {
    let long = String(repeating: "x", count: 2_000_000)
    let value = AgentResponse.value(.string(long)).bytes()
    #expect(try AgentResponse(value) == .exception(message: "Response exceeded maximum allowed length"))

    let exception = AgentResponse.exception(message: "begin" + long + "end").bytes()
    #expect(exception.count <= AgentLimits.maximumReplyBytes)
    #expect(exception.count > AgentLimits.maximumReplyBytes / 2)
    guard case .exception(let message) = try AgentResponse(exception) else {
      Issue.record("no exception")
      return
    }
    #expect(message.hasPrefix("beginxxx"))
    #expect(message.hasSuffix("xxxend"))
    #expect(message.contains("\n...[truncated]...\n"))
  }

  @Test("a message whose escapes make it longer still fits")
  func escapes() {
    let exception = AgentResponse.exception(message: String(repeating: "\u{1}", count: 1_000_000)).bytes()
    #expect(exception.count <= AgentLimits.maximumReplyBytes)
  }

  @Test("shortening never cuts a character in two", arguments: Array(21...60))
  func wholeCharacters(limit: Int) {
    let text = String(repeating: "aé€😀", count: 20)
    let short = AgentTexts.shortened(text, to: limit)
    #expect(short.utf8.count <= limit)
    #expect(!short.contains("\u{FFFD}"))
    #expect(short.contains(AgentTexts.truncationMark))
  }

  @Test("the texts that directors key on")
  func texts() {
    #expect(AgentTexts.unknownMessage("noop") == "unknown message noop")
    #expect(
      AgentTexts.notEnoughArguments(expected: 2, got: 1)
        == "Extracting method arguments from payload: Not enough arguments, expected 2, got 1")
    #expect(
      AgentTexts.actionFailed("get_task", AgentTexts.taskFailed("t", "boom"))
        == "Action Failed get_task: Task t result: boom")
    #expect(AgentTexts.taskNotFound("t") == "Task with id t could not be found")
  }

  @Test("a running task is told from a result")
  func taskReply() {
    #expect(AgentTaskReply(["agent_task_id": "t", "state": "running"])?.taskID == "t")
    #expect(AgentTaskReply("applied") == nil)
    #expect(AgentTaskReply(["state": "running"]) == nil)
    #expect(AgentTaskReply(["exit_code": 0, "stdout": "", "stderr": ""]) == nil)
  }
}
