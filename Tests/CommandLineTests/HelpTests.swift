import ArgumentParser
import Testing

@testable import CommandLine

@Suite("Drover's help") struct HelpTests {
  private static func all(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
    [command] + command.configuration.subcommands.flatMap(all)
  }

  @Test("every command and every flag of every command has a line that says what it is for")
  func complete() {
    for command in Self.all(Drover.self) {
      #expect(!command.configuration.abstract.isEmpty, "\(command)")
      let help = command.helpMessage(columns: 80)
      let options = help.split(separator: "\n").drop { !$0.hasPrefix("ARGUMENTS:") && !$0.hasPrefix("OPTIONS:") }
      for (line, next) in zip(options, options.dropFirst()) where line.hasPrefix("  -") || line.hasPrefix("  <") {
        let isExplained = line.dropFirst(26).contains { $0 != " " } && line.dropFirst(25).first == " "
        #expect(isExplained || next.hasPrefix(String(repeating: " ", count: 26)), "\(command): \(line)")
      }
    }
  }

  @Test("paragraphs are wrapped by the terminal's width alone")
  func paragraphs() {
    for command in Self.all(Drover.self) {
      let lines = command.configuration.discussion.split(separator: "\n", omittingEmptySubsequences: false)
      for (line, next) in zip(lines, lines.dropFirst()) where !line.isEmpty && !next.isEmpty {
        let isOneParagraph = line.first != " " && next.first != " " && !line.hasSuffix(":") && !next.hasPrefix("- ")
        #expect(!isOneParagraph, "\(command): '\(line)' goes on in a line of its own")
      }
    }
  }

  @Test(
    "what is no command is told with what may have been meant",
    arguments: [
      (["deplo", "m.yml"], "there is no command 'deplo'"), (["-d", "x", "intsances"], "did you mean 'instances'?"),
      (["environment"], nil), (["run", "errand", "x"], nil), (["run-errand", "x"], nil), (["help", "vms"], nil),
      (["--version"], nil), (["-d", "x"], nil), ([], nil),
    ] as [([String], String?)])
  func unknown(_ words: [String], _ expected: String?) {
    let text = Drover.unknownCommand(ErrandWords.plain(GlobalFlags.behindVerb(JoinedFlags.apart(words))))
    #expect((text == nil) == (expected == nil))
    if let expected { #expect(text?.contains(expected) == true, "\(text ?? "")") }
  }
}
