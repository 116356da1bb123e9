import Testing

@testable import AgentProtocol

@Suite struct ErrandStartFailureTests {
  @Test(
    "agents say in several ways why a script did not begin",
    arguments: [
      (
        "Action Failed get_task: Task 7 result: Running errand script: cannot run /x/bin/run: there is no such file",
        127
      ),
      (
        "Running errand script: Running command: '/x/bin/run', stdout: '', stderr: '': fork/exec /x/bin/run: no such file or directory",
        127
      ),
      ("Running errand script: cannot run /x: it is not executable (or lies in a folder that may not be entered)", 126),
      ("Running errand script: fork/exec /x/bin/run: permission denied", 126),
      ("Running errand script: fork/exec /x/bin/run: exec format error", 126),
    ])
  func known(_ text: String, _ code: Int) {
    #expect(ErrandStartFailure(exception: text)?.exitCode == code)
  }

  @Test("people are told what was to be run and what was found, and nothing of tasks of the agent")
  func reason() {
    let text = "Action Failed get_task: Task 7 result: Running errand script: cannot run /x: there is no such file"
    #expect(ErrandStartFailure.reason(in: text) == "cannot run /x: there is no such file")
    #expect(ErrandStartFailure.reason(in: "Task 7 result: boom") == nil)
  }

  @Test(
    "other failures are none",
    arguments: [
      "Running errand script: its exit status is lost: the process that waited for it was killed",
      "Could not find errand x: no such file", "", "there is no such file",
    ])
  func other(_ text: String) { #expect(ErrandStartFailure(exception: text) == nil) }
}
