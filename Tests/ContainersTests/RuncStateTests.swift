import Containers
import Testing

@Suite("RuncState")
struct RuncStateTests {
  private static let text =
    #"{"id":"a","init_process_pid":12,"init_process_start":345,"created":"x","config":{"a":[1,{"b":"}\""}]},"#
    + #""cgroup_paths":{"memory":"/sys/fs/cgroup/memory/a"}}"#

  @Test("The first process and the cgroups are found")
  func whole() throws {
    let state = try #require(RuncState(Array(Self.text.utf8)))
    #expect(state.pid == 12 && state.startTicks == 345 && state.isComplete)
    #expect(state.cgroups == ["memory": "/sys/fs/cgroup/memory/a"])
  }

  @Test("Of a record that is cut off anywhere, nothing is told that was not written")
  func cutOff() {
    let bytes = Array(Self.text.utf8)
    for count in 0..<bytes.count {
      guard let state = RuncState(Array(bytes.prefix(count))) else { continue }
      #expect(state.pid == 12 && state.startTicks == 345 && !state.isComplete, "\(count)")
    }
  }

  @Test(
    "What is no record is none",
    arguments: ["", "{}", "[]", "null", #"{"init_process_pid":-1,"init_process_start":1}"#])
  func none(text: String) { #expect(RuncState(Array(text.utf8)) == nil) }
}
