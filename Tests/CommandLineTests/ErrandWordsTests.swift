import ArgumentParser
import Formats
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
      (
        "run-errand smoke -d=redis -E=A=b -e=C=d -e=host x=y",
        "run-errand -d=redis -E=A=b --env C=d -e=host smoke -- x=y"
      ),
      ("run errand -d redis smoke x", "run-errand -d redis smoke -- x"),
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
    "What is wrong with a command that ends with a script's code is told, and is no code of the parser's",
    arguments: [
      "run-errand", "run-errand -d d x --timeout soon", "run-errand -d d x --timeout 0s", "run-errand --odd x",
      "run-errand -d d x --instances 0", "run-errand -d d x --on-interrupt no", "run-errand -d d x --attach --detach",
      "run-errand -d d x -E A", "run-errand -d d x --secret-env =b", "run-errand -d d x --instance /",
      "run-errand -d d x --instance web/", "run-errand -d d x --lease account:", "attach", "attach x", "run-schedule",
      "run-errand -d d x --state /proc/none", "run errand x -d d --state /proc/none", "attach 1 --state /proc/none",
      "run-schedule x -d d --state /proc/none", "-d d --state /proc/none run errand x",
    ])
  func refusals(_ written: String) async {
    #expect(await Drover.run(written.split(separator: " ").map(String.init)) == 125)
  }

  @Test("Other commands end with 1")
  func otherRefusals() async {
    #expect(await Drover.run(["vms", "-d", "d", "--state", "/proc/none"]) == 1)
  }

  @Test("An instance and a lease are read, or said to be none")
  func flagValues() throws {
    #expect(try ErrandFlagValue.instance("web") == ["group": "web", "id": ""])
    #expect(try ErrandFlagValue.instance("web/0/x") == ["group": "web", "id": "0/x"])
    #expect(try ErrandFlagValue.lease("account") == ["type": "account"])
    #expect(try ErrandFlagValue.lease("account:a:b") == ["type": "account", "as": "a:b"])
    #expect(try ErrandFlagValue.variable("A=b=c\n", of: "--env").1 == "b=c\n")
    for text in ["", "/", "/0", "web/"] {
      #expect(throws: ValidationError.self, "\(text)") { try ErrandFlagValue.instance(text) }
    }
    for text in ["", ":", ":a", "account:"] {
      #expect(throws: ValidationError.self, "\(text)") { try ErrandFlagValue.lease(text) }
    }
  }

  @Test(
    "Arguments in a list are one line, and it is to be seen where each ends",
    arguments: [
      ("--fail", "--fail"), ("a=b", "a=b"), ("", "''"), ("a b", "'a b'"), ("$HOME", "'$HOME'"), ("é日1", "é日1"),
      ("it's", #"$'it\'s'"#), ("a\nb\t", #"$'a\nb\t'"#), ("\u{1B}[2J", #"$'\x1b[2J'"#), ("\u{7F}\\", #"$'\x7f\\'"#),
      ("***", "***"),
    ])
  func shownWords(_ word: String, _ shown: String) {
    #expect(ShownWord.text(word) == shown)
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
