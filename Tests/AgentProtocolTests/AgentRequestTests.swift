import AgentProtocol
import Formats
import Testing

@Suite struct AgentRequestTests {
  @Test("a request is written in the order directors write it and read back")
  func roundTrip() {
    let request = AgentRequest(.ping, replyTo: "director.d1.a1.r1")
    #expect(
      JSON.text(request.value)
        == #"{"protocol":3,"method":"ping","arguments":[],"reply_to":"director.d1.a1.r1"}"#)
    #expect(AgentRequest.read(request.bytes) == .request(request))
    #expect(request.requestID == "r1")
  }

  @Test("what is to be read of the output comes with the request, and is left out when it makes no sense")
  func reading() {
    let reading = ReadOutputRequest(taskID: "", stdoutOffset: 3, waitMilliseconds: 500, wantsResult: true)
    let request = AgentRequest(.runErrand, ["job"], replyTo: "a.b", reading: reading)
    #expect(AgentRequest.read(request.bytes) == .request(request))
    for bad in ["17", "null", "[]", #"{"stdout_offset":-1}"#, #"{"logs":7}"#] {
      let text = #"{"method":"x","reply_to":"r","read_output":\#(bad)}"#
      #expect(
        AgentRequest.read(Array(text.utf8)) == .request(AgentRequest(method: "x", replyTo: "r", protocolVersion: 0)))
    }
  }

  @Test(
    "absent members have their documented meaning",
    arguments: [
      (#"{"method":"ping","reply_to":"a.b"}"#, AgentRequest(method: "ping", replyTo: "a.b", protocolVersion: 0)),
      (#"{"method":"x","arguments":null}"#, AgentRequest(method: "x", replyTo: nil, protocolVersion: 0)),
      (#"{}"#, AgentRequest(method: "", replyTo: nil, protocolVersion: 0)),
      (
        #"{"protocol":3,"method":"get_task","arguments":["t",{"a":1}],"reply_to":"r"}"#,
        AgentRequest(method: "get_task", arguments: ["t", ["a": 1]], replyTo: "r")
      ),
    ])
  func absentMembers(text: String, expected: AgentRequest) {
    #expect(AgentRequest.read(Array(text.utf8)) == .request(expected))
  }

  @Test("arguments that are no array are refused with an exception that can be sent")
  func argumentsOfTheWrongKind() {
    let reading = AgentRequest.read(Array(#"{"method":"ping","arguments":"x","reply_to":"a.b"}"#.utf8))
    #expect(
      reading
        == .refused(replyTo: "a.b", message: "Action Failed ping: arguments: expected an array, found a string"))
  }

  @Test("what is no JSON object can't be answered", arguments: ["", "{", "[]", "17", "\"ping\"", "\u{0}\u{1}"])
  func unreadable(text: String) {
    guard case .unreadable = AgentRequest.read(Array(text.utf8)) else {
      Issue.record("was read: \(text)")
      return
    }
  }

  @Test("bytes that are no UTF-8 are replaced, as the Go agent has it")
  func badUTF8() {
    let bytes = Array(#"{"method":"get_task","arguments":["a"#.utf8) + [0xFF] + Array(#""],"reply_to":"r"}"#.utf8)
    #expect(
      AgentRequest.read(bytes)
        == .request(AgentRequest(method: "get_task", arguments: ["a\u{FFFD}"], replyTo: "r", protocolVersion: 0)))
  }

  @Test(
    "what is nested too deep is refused, with what its envelope says wherever it stands",
    arguments: [
      #"{"method":"apply","reply_to":"a.b","arguments":[~]}"#,
      #"{"arguments":[{"method":"x","reply_to":"evil"},~],"reply_to":"a.b","method":"apply"}"#,
      #"{"reply_to":"first","method":"a\u0070ply","arguments":["\"}",~],"reply_to":"a.b"}"#,
    ])
  func tooDeep(text: String) {
    let deep = String(repeating: "[", count: 3000) + String(repeating: "]", count: 3000)
    let whole = text.split(separator: "~").joined(separator: deep)
    guard case .refused(let reply, let message) = AgentRequest.read(Array(whole.utf8)) else {
      Issue.record("was not refused")
      return
    }
    #expect(reply == "a.b")
    #expect(message.hasPrefix("Action Failed apply: JSON line 1 column "))
    #expect(message.hasSuffix("nested deeper than 512 levels"))
  }

  @Test("every method says how many arguments it needs, as the Go agent does")
  func minimumArguments() {
    let expected: [AgentMethod: Int] = [
      .ping: 0, .info: 0, .getState: 0, .getTask: 1, .cancelTask: 1, .prepare: 1, .apply: 1, .start: 0, .stop: 0,
      .drain: 1, .runScript: 2, .runErrand: 0, .compilePackage: 5, .compilePackageWithSignedURL: 1, .fetchLogs: 2,
      .fetchLogsWithSignedURL: 1, .bundleLogs: 1, .removeFile: 1, .uploadBlob: 1, .ssh: 2, .listDisk: 0,
      .mountDisk: 1, .unmountDisk: 1, .migrateDisk: 0, .addPersistentDisk: 2, .removePersistentDisk: 1,
      .addDynamicDisk: 2, .removeDynamicDisk: 1, .updateSettings: 1, .syncDNS: 3, .syncDNSWithSignedURL: 1,
      .deleteARPEntries: 1, .shutdown: 0,
    ]
    for (method, count) in expected { #expect(method.minimumArguments == count, "\(method)") }
  }

  @Test("a request without a usable reply subject has no identity", arguments: [nil, "", "a.b."])
  func noIdentity(replyTo: String?) {
    #expect(AgentRequest(.ping, replyTo: replyTo).requestID == nil)
  }
}
