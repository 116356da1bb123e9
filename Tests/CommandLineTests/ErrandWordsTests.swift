import ArgumentParser
import Testing

@testable import CommandLine

@Suite struct ErrandWordsTests {
  @Test(
    "a run is written in several ways",
    arguments: [
      ("run errand smoke", "run-errand smoke"),
      ("run-errand -d redis smoke -- --fail 3", "run-errand -d redis smoke -- --fail 3"),
      ("run-errand smoke -d redis --fail 3", "run-errand -d redis smoke -- --fail 3"),
      ("run errand smoke one two --json three", "run-errand --json smoke -- one two three"),
      ("run-errand smoke -e LEVEL=debug -e https://h:25555", "run-errand --env LEVEL=debug -e https://h:25555 smoke"),
      ("run-errand smoke -e https://h/?a=b", "run-errand -e https://h/?a=b smoke"),
      ("run-errand smoke a -- -d b -- c", "run-errand smoke -- a -d b -- c"),
      ("run-errand --keep-alvie smoke", "run-errand --keep-alvie smoke"),
      ("run-errand smoke --timeout=5m --env=A=b x", "run-errand --timeout=5m --env=A=b smoke -- x"),
      ("run-errand", "run-errand"), ("run", "run"), ("run other", "run other"), ("vms -e A=b", "vms -e A=b"),
    ])
  func words(_ written: String, _ expected: String) {
    let words = written.split(separator: " ").map(String.init)
    #expect(ErrandWords.plain(words).joined(separator: " ") == expected)
  }

  @Test("every flag of the command is known")
  func complete() {
    let help = RunErrand.helpMessage()
    let flags = help.matches(of: /(?:^|[ (\/,])(--?[a-zA-Z][a-z-]*)/).map { String($0.output.1) }
    #expect(flags.count > 15)
    for flag in Set(flags) {
      #expect(ErrandWords.alone.contains(flag) || ErrandWords.withValue.contains(flag), "\(flag)")
    }
  }

  @Test("empty and strange arguments reach the script as they are")
  func strange() {
    #expect(
      ErrandWords.plain(["run-errand", "x", "--", "", " ", "a\nb", "é", "$HOME", "-d"])
        == ["run-errand", "x", "--", "", " ", "a\nb", "é", "$HOME", "-d"])
    #expect(ErrandWords.plain(["run-errand", "x", "", "a b"]) == ["run-errand", "x", "--", "", "a b"])
  }

  @Test(
    "Ctrl-C once, twice and three times",
    arguments: [
      (OnInterrupt.ask, [InterruptionPlan.Step.detachSoon, .cancel, .detach]),
      (.detach, [.detach, .detach, .detach]), (.cancel, [.cancel, .detach, .detach]),
    ])
  func interruptions(_ mode: OnInterrupt, _ steps: [InterruptionPlan.Step]) {
    var plan = InterruptionPlan(mode)
    #expect(steps.map { _ in plan.interrupted() } == steps)
  }
}
