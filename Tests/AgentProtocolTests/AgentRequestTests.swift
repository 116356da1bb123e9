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

  @Test("a request without a usable reply subject has no identity", arguments: [nil, "", "a.b."])
  func noIdentity(replyTo: String?) {
    #expect(AgentRequest(.ping, replyTo: replyTo).requestID == nil)
  }
}
