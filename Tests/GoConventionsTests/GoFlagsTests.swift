import Testing

@testable import GoConventions

@Suite struct GoFlagsTests {
  static let definitions: [GoFlags.Definition] = [
    .init("pid", .integer, "-1", "a pid"), .init("file", .text, "", "a file"),
    .init("stacks", .flag, "false", "stacks"),
    .init("wait", .duration, "0s", "how long"), .init("config", .text, "c.yml", "what to do"),
  ]

  /// What was given, as text.
  private func found(_ words: [String]) throws -> [String: String] {
    let flags = try GoFlags(words, Self.definitions)
    return Dictionary(uniqueKeysWithValues: flags.given.map { ($0, flags.text($0)) })
  }

  @Test(
    "values stand behind the flag or behind =, with one dash or two, up to the first word that is no flag",
    arguments: [
      ([], [:], []), (["-pid", "7"], ["pid": "7"], []), (["--pid=7"], ["pid": "7"], []),
      (["--file="], ["file": ""], []),
      (["--file", "-x"], ["file": "-x"], []), (["--file=a=b"], ["file": "a=b"], []),
      (["-stacks"], ["stacks": "true"], []), (["-stacks", "false"], ["stacks": "true"], ["false"]),
      (["--stacks=F"], ["stacks": "false"], []), (["x", "--pid", "7"], [:], ["x", "--pid", "7"]),
      (["--", "--pid", "7"], [:], ["--pid", "7"]), (["-", "--pid", "7"], [:], ["-", "--pid", "7"]),
      (["--pid", "7", "--pid", "8", "x"], ["pid": "8"], ["x"]), (["--wait", "1m30s"], ["wait": "1m30s"], []),
    ] as [([String], [String: String], [String])])
  func found(words: [String], expected: [String: String], rest: [String]) throws {
    #expect(try found(words) == expected)
    #expect(try GoFlags(words, Self.definitions).rest == rest)
  }

  @Test("what is not given has its initial value")
  func values() throws {
    let flags = try GoFlags(["-pid=0x1F", "-stacks"], Self.definitions)
    #expect(flags.int("pid") == 31 && flags.isOn("stacks") && flags.given == ["pid", "stacks"])
    #expect(flags.text("config") == "c.yml" && flags.duration("wait") == .zero)
    let none = try GoFlags([], Self.definitions)
    #expect(none.int("pid") == -1 && !none.isOn("stacks") && none.given.isEmpty)
  }

  @Test(
    "what is wrong is said as Go says it",
    arguments: [
      (["-pid", "x"], "invalid value \"x\" for flag -pid: parse error"), (["-pid"], "flag needs an argument: -pid"),
      (["--pid="], "invalid value \"\" for flag -pid: parse error"),
      (["-pid", "99999999999999999999"], "invalid value \"99999999999999999999\" for flag -pid: value out of range"),
      (["-z=1"], "flag provided but not defined: -z"), (["---pid"], "bad flag syntax: ---pid"),
      (["--=3"], "bad flag syntax: --=3"),
      (["-stacks=maybe"], "invalid boolean value \"maybe\" for -stacks: parse error"),
      (["--wait", "5"], "invalid value \"5\" for flag -wait: parse error"),
    ])
  func wrong(words: [String], text: String) {
    #expect(throws: GoFlags.Failure.wrong(text)) { try GoFlags(words, Self.definitions) }
  }

  @Test("the list of flags is asked for by -h and -help", arguments: ["-h", "--h", "-help", "--help", "--help=x"])
  func help(word: String) {
    #expect(throws: GoFlags.Failure.helpWanted) { try GoFlags([word], Self.definitions) }
    #expect(
      GoFlags.usage("p", Self.definitions) == """
        Usage of p:
          -config string
            \twhat to do (default "c.yml")
          -file string
            \ta file
          -pid int
            \ta pid (default -1)
          -stacks
            \tstacks
          -wait duration
            \thow long

        """)
  }

  @Test(
    "whole numbers are those of Go's literals",
    arguments: [
      ("7", .number(7)), ("-100", .number(-100)), ("+7", .number(7)), ("0x1F", .number(31)), ("017", .number(15)),
      ("0b101", .number(5)), ("0o17", .number(15)), ("0", .number(0)), ("0x_1", .number(1)), ("0_7", .number(7)),
      ("1_0", .number(10)), ("_1", .nothing), ("1_", .nothing), ("1__0", .nothing), ("08", .nothing), ("", .nothing),
      ("0x", .nothing), ("-", .nothing), ("0x0b1", .number(177)), ("0b0x1", .nothing), ("7 ", .nothing),
      ("٧", .nothing), ("9223372036854775808", .outOfRange),
      ("-9223372036854775808", .number(.min)),
    ] as [(String, GoWhole)])
  func numbers(text: String, expected: GoWhole) {
    #expect(GoWhole(text) == expected)
  }
}
