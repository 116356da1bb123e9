import Testing

@testable import BPM

@Suite("ArgumentReader")
struct ArgumentReaderTests {
  @Test(
    "Flags stand before or after the job, in every spelling",
    arguments: [
      "start web -p x", "start -p x web", "start -px web", "start --process x web", "start --process=x web",
      "-p x start web", "start -p=x web", "start web more -p x",
    ])
  func flags(line: String) throws {
    let request = try ArgumentReader.read(line.split(separator: " ").map(String.init))
    #expect(request.command.name == "start" && request.operands.first == "web" && request.text("process") == "x")
  }

  @Test("Short flags may be grouped, the last with its value; -- ends flags")
  func groups() throws {
    let request = try ArgumentReader.read(["logs", "-afn", "5", "web", "--", "-q"])
    #expect(request.flags == ["all", "follow"] && request.text("lines") == "5" && request.operands == ["web", "-q"])
  }

  @Test("Flags that may be repeated keep all values")
  func repeated() throws {
    let request = try ArgumentReader.read(["run", "web", "-v", "/a", "-v/b", "-e", "A=1,2", "--env=B=c"])
    #expect(request.texts["volume"] == ["/a", "/b"] && request.texts["env"] == ["A=1,2", "B=c"])
  }

  @Test(
    "Mistakes are told in the original's words",
    arguments: [
      ("foo", "unknown command \"foo\" for \"bpm\"", false),
      ("strat", "unknown command \"strat\" for \"bpm\"\n\nDid you mean this?\n\tstart\n", false),
      ("sta", "unknown command \"sta\" for \"bpm\"\n\nDid you mean this?\n\tstart\n\tstop\n", false),
      ("start --bad", "unknown flag: --bad", true), ("start -x", "unknown shorthand flag: 'x' in -x", true),
      ("start -p", "flag needs an argument: 'p' in -p", true),
      ("start x --process", "flag needs an argument: --process", true),
      (
        "logs x -n abc",
        "invalid argument \"abc\" for \"-n, --lines\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax", true
      ),
      (
        "logs x -f=maybe",
        "invalid argument \"maybe\" for \"-f, --follow\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        true
      ),
    ])
  func mistakes(line: String, text: String, hasUsage: Bool) {
    let mistake = #expect(throws: ArgumentReader.Mistake.self) {
      try ArgumentReader.read(line.split(separator: " ").map(String.init))
    }
    #expect(mistake?.text == text && (mistake?.usage != nil) == hasUsage)
  }

  @Test("Usage has the original's layout")
  func usage() throws {
    let start = try #require(CommandDefinition.named("start"))
    #expect(
      UsageText.help(start)
        == "starts a BOSH Process\n\nUsage:\n  bpm start <job-name> [flags]\n\nFlags:\n"
        + "  -h, --help             help for start\n  -p, --process string   optional process name\n\n"
        + "Global Flags:\n      --version   print BPM version\n")
    let logs = try #require(CommandDefinition.named("logs"))
    #expect(UsageText.usage(logs).contains("  -n, --lines int        number of lines to show (default 25)\n"))
    #expect(UsageText.rootHelp.contains("\n  completion  Generate the autocompletion script"))
    #expect(
      UsageText.rootHelp.contains("\nFlags:\n  -h, --help      help for bpm\n      --version   print BPM version\n"))
  }

  @Test("Every shell has a script with every command in it")
  func completion() throws {
    for shell in CompletionScripts.shells {
      let script = try #require(CompletionScripts.script(shell))
      for command in CommandDefinition.all { #expect(script.contains(command.name), "\(shell) \(command.name)") }
    }
  }
}
