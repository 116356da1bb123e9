import Testing

@testable import Processes

@Suite struct SipidOrderTests {
  @Test(
    "commands with their flags",
    arguments: [
      (["claim", "--pid", "17", "--pid-file", "/f"], .claim(pid: 17, pidfile: "/f")),
      (["claim", "-pid-file=/f", "-pid=-5"], .claim(pid: -5, pidfile: "/f")),
      (["kill", "--pid-file", "/f"], .kill(pidfile: "/f", showsStacks: false)),
      (["kill", "--show-stacks", "--pid-file", "/f"], .kill(pidfile: "/f", showsStacks: true)),
      (
        ["wait-until-healthy", "--url", "http://h"],
        .waitUntilHealthy(url: "http://h", timeout: .seconds(60), frequency: .seconds(5))
      ),
      (
        ["wait-until-healthy", "--url=u", "--timeout", "1.5s", "--polling-frequency", "200ms"],
        .waitUntilHealthy(url: "u", timeout: .milliseconds(1500), frequency: .milliseconds(200))
      ),
    ] as [([String], SipidOrder)])
  func orders(words: [String], order: SipidOrder) throws {
    #expect(try SipidOrder(words, program: "sipid") == order)
  }

  @Test(
    "what lacks something is answered with the usage, and exit code 1",
    arguments: [
      [], ["start"], ["-h"], ["claim"], ["claim", "--pid", "7"], ["claim", "--pid-file", "/f"],
      ["claim", "--pid", "-1", "--pid-file", "/f"], ["claim", "x", "--pid", "7", "--pid-file", "/f"], ["kill"],
      ["kill", "--pid-file", ""], ["wait-until-healthy"], ["wait-until-healthy", "--url", ""],
    ])
  func usage(words: [String]) throws {
    let refusal = try #require(throws: SipidOrder.Refusal.self) { try SipidOrder(words, program: "/bin/sipid") }
    #expect(refusal.code == 1)
    #expect(refusal.text.hasPrefix("usage: /bin/sipid claim --pid PID --pid-file PID_FILE\n       /bin/sipid kill "))
    #expect(refusal.text.hasSuffix("\n\n       DURATIONS must be specified with units (e.g. 10s, 4m, 500ms)\n"))
  }

  @Test("wrong flags are answered with those of the command, and exit code 2; --help with 0")
  func flags() throws {
    let wrong = try #require(throws: SipidOrder.Refusal.self) { try SipidOrder(["kill", "-x"], program: "s") }
    #expect(wrong.code == 2)
    #expect(wrong.text.hasPrefix("flag provided but not defined: -x\nUsage of s:\n  -pid-file string\n"))
    let help = try #require(throws: SipidOrder.Refusal.self) { try SipidOrder(["claim", "-h"], program: "s") }
    #expect(help.code == 0)
    #expect(help.text.hasPrefix("Usage of s:\n  -pid int\n"))
  }
}
