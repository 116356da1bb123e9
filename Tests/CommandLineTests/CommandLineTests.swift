import ArgumentParser
import Formats
import Glibc
import Testing

@testable import CommandLine

@Suite struct EventPrinterTests {
  private func printed(_ events: [Value]) throws -> String {
    var text = ""
    try withExtendedLifetime(()) {
      var printer = EventPrinter(task: 7) { text += $0 }
      for event in events { try printer.take(JSON.bytes(event) + [0x0A]) }
      printer.end()
    }
    return text
  }

  private func step(_ state: String, _ time: Int, task: String = "a", data: Value = [:]) -> Value {
    [
      "time": .int(time), "stage": "Stage", "tags": ["web"], "total": 1, "task": .string(task), "index": 1,
      "state": .string(state), "progress": 0, "data": data,
    ]
  }

  @Test("A step that ends before anything else happens is one line")
  func joined() throws {
    #expect(
      try printed([step("started", 0), step("finished", 65)])
        == "Task 7 | 00:00:00 | Stage web: a (00:01:05)\n")
  }

  @Test("Steps that overlap have a line for their start and one for their end")
  func overlapping() throws {
    let text = try printed([
      step("started", 0), step("started", 1, task: "b"), step("finished", 2), step("finished", 3, task: "b"),
    ])
    #expect(
      text == """
        Task 7 | 00:00:00 | Stage web: a
        Task 7 | 00:00:01 | Stage web: b
        Task 7 | 00:00:02 | Stage web: a (00:00:02)
        Task 7 | 00:00:03 | Stage web: b (00:00:02)

        """)
  }

  @Test("Progress, failures, warnings and the task's error are lines of their own")
  func others() throws {
    let text = try printed([
      step("started", 0), step("in_progress", 1, data: ["status": "half"]),
      step("failed", 2, data: ["error": "broken"]), ["time": 3, "type": "warning", "message": "careful"],
      ["time": 4, "error": ["code": 100, "message": "it failed"]],
    ])
    #expect(
      text == """
        Task 7 | 00:00:00 | Stage web: a
        Task 7 | 00:00:01 |  L half: a
        Task 7 | 00:00:02 | Stage web: a (00:00:02)
                            L Error: broken
        Task 7 | 00:00:03 | Warning: careful
        Task 7 | 00:00:04 | Error: it failed

        """)
  }

  @Test("What others print does not stand behind a step that goes on")
  func othersPrint() throws {
    var text = ""
    try withExtendedLifetime(()) {
      var printer = EventPrinter(task: 7) { text += $0 }
      try printer.take(JSON.bytes(step("started", 0)) + [0x0A])
      printer.end()
      text += "printed by a script\n"
      printer.end()
      try printer.take(JSON.bytes(step("finished", 2)) + [0x0A])
      printer.end()
    }
    #expect(
      text == """
        Task 7 | 00:00:00 | Stage web: a
        printed by a script
        Task 7 | 00:00:02 | Stage web: a (00:00:02)

        """)
  }

  @Test("Of output that grows, lines are taken that are whole; of output that is complete, all")
  func settledLines() {
    func settled(_ text: String, isFinal: Bool = false) -> String {
      String(decoding: TaskFollower.settled(Array(text.utf8), isFinal: isFinal, limit: 8), as: UTF8.self)
    }
    #expect(settled("a\nb") == "a\n")
    #expect(settled("a\nb\n") == "a\nb\n")
    #expect(settled("ab") == "")
    #expect(settled("ab", isFinal: true) == "ab")
    // Longer than what is read at once: nobody waits for its end.
    #expect(settled("abcdefgh") == "abcdefgh")
  }

  @Test("Lines may come in pieces")
  func pieces() throws {
    var text = ""
    var printer = EventPrinter(task: 1) { text += $0 }
    for byte in JSON.bytes(step("started", 0)) + [0x0A] { try printer.take([byte]) }
    printer.end()
    #expect(text == "Task 1 | 00:00:00 | Stage web: a\n")
  }
}

@Suite struct CommandLineParsingTests {
  @Test(
    "Flags of every command may stand before the verb",
    arguments: [
      (["-d", "redis", "vms"], ["vms", "-d", "redis"]),
      (
        ["-n", "--environment=e", "--json", "deploy", "m.yml"], ["deploy", "-n", "--environment=e", "--json", "m.yml"]
      ),
      (["-d", "-n", "vms"], ["vms", "-d", "-n"]),
      (["-e", "e", "run-errand", "x", "--", "-d", "y"], ["run-errand", "-e", "e", "x", "--", "-d", "y"]),
      (["--state", "/s", "up", "--name", "n"], ["up", "--state", "/s", "--name", "n"]),
      (["vms", "-d", "redis"], ["vms", "-d", "redis"]), (["--help"], ["--help"]), (["-d"], ["-d"]), ([], []),
      (["-d", "r", "run", "errand", "x", "y"], ["run", "errand", "-d", "r", "x", "y"]),
      (["-d", "r", "run", "other"], ["run", "-d", "r", "other"]),
      (["-d", "redis"], ["-d", "redis"]), (["-d", "redis", "--odd", "vms"], ["-d", "redis", "--odd", "vms"]),
    ])
  func flagsBeforeVerb(_ given: [String], _ moved: [String]) throws {
    #expect(GlobalFlags.behindVerb(given) == moved)
  }

  @Test("A deployment that is named before the verb is the command's")
  func deploymentBeforeVerb() throws {
    let command = try #require(
      try Drover.parseAsRoot(GlobalFlags.behindVerb(["-d", "redis", "manifest"])) as? Manifest)
    #expect(command.options.deployment == "redis")
  }

  @Test("A unit of systemd starts the server as it was started, and ends only its own process")
  func systemdUnit() {
    let text = SystemdUnit.text(
      program: "/opt/drover/droverd", state: "/srv/a b", flags: ["--name": "two", "--config": "/etc/100%$x.yml"])
    #expect(
      text.contains(
        "\nExecStart=/opt/drover/droverd --state \"/srv/a b\" --config /etc/100%%$$x.yml --name two\n"))
    #expect(text.contains("\nKillMode=process\n"))
  }

  @Test("A config is one version, or the newest by type and name")
  func configChoice() throws {
    func chosen(_ arguments: [String]) throws -> ConfigChoice.Chosen { try ConfigChoice.parse(arguments).chosen() }
    #expect(try chosen(["7"]) == .version("7"))
    #expect(try chosen(["--type", "runtime", "--name", "default"]) == .newest(type: "runtime", name: "default"))
    for arguments in [[], ["7", "--type", "runtime"], ["--name", "default"]] {
      #expect(throws: (any Error).self) { try chosen(arguments) }
    }
  }

  @Test("What stands after -- reaches the script as it is")
  func errandArguments() throws {
    let command = try #require(
      try Drover.parseAsRoot(["run-errand", "smoke", "-d", "redis", "--", "--fail", "3", "", "a b", "-d"])
        as? RunErrand)
    #expect(command.name == "smoke")
    #expect(command.options.deployment == "redis")
    #expect(command.arguments == ["--fail", "3", "", "a b", "-d"])
  }

  @Test("Every command has help of its own")
  func help() {
    for group in Drover.configuration.groupedSubcommands {
      for command in group.subcommands {
        #expect(!command.configuration.abstract.isEmpty, "\(command)")
        #expect(Drover.helpMessage(for: command).contains("USAGE: drover"))
      }
    }
  }

  @Test(
    "An environment is an https address with the director's port unless it has one",
    arguments: [
      ("10.0.0.1", "https://10.0.0.1:25555"), ("https://a:1/", "https://a:1"), ("b:443", "https://b:443"),
    ])
  func environment(_ given: String, _ expected: String) throws {
    let target = try TargetEnvironment.resolve(
      (given, nil, "u", "p"), state: "/nowhere", variables: ["BOSH_CA_CERT": "-----BEGIN CERTIFICATE-----"])
    #expect(target.url == expected)
    #expect(target.authorization == "Basic dTpw")
    #expect(target.caPEM == "-----BEGIN CERTIFICATE-----")
    #expect(!"\(target)".contains("\"p\""))
  }

  @Test("Without a user, or over plain http, nothing is sent")
  func refused() {
    #expect(throws: DroverError.self) {
      try TargetEnvironment.resolve(("a", nil, nil, nil), state: "/nowhere", variables: [:])
    }
    #expect(throws: DroverError.self) {
      try TargetEnvironment.resolve(("http://a", nil, "u", "p"), state: "/nowhere", variables: [:])
    }
    let none = #expect(throws: DroverError.self) {
      try TargetEnvironment.resolve((nil, nil, nil, nil), state: "/nowhere", variables: [:])
    }
    #expect(none?.message.contains("drover up") == true)
  }

  @Test("A user who is named is meant with this machine's server, too; variables may be for another one")
  func localUser() throws {
    let state = "/tmp/drover-local-\(getpid())"
    defer {
      for path in ["certificates/ca.crt", "certificates", "address", "users", ""] { remove("\(state)/\(path)") }
    }
    mkdir(state, 0o700)
    mkdir("\(state)/certificates", 0o700)
    for (name, text) in [("address", "127.0.0.1:1"), ("users", "admin:a\n"), ("certificates/ca.crt", "C")] {
      let file = try #require(fopen("\(state)/\(name)", "w"))
      fputs(text, file)
      fclose(file)
    }
    func target(_ user: String?, _ secret: String?, _ variables: [String: String] = [:]) throws -> TargetEnvironment {
      try TargetEnvironment.resolve((nil, nil, user, secret), state: state, variables: variables)
    }
    let others = ["BOSH_CLIENT": "other", "BOSH_CLIENT_SECRET": "s"]
    #expect(try target(nil, nil, others).user == "admin")
    #expect(try target("ann", "p", others).authorization == "Basic YW5uOnA=")
    #expect(try target("ann", nil, others).authorization == "Basic YW5uOnM=")
    #expect(try target("ann", "p").url == "https://127.0.0.1:1")
    #expect(throws: DroverError.self) { try target("ann", nil) }
  }
}

@Suite struct TextTests {
  @Test("Columns are as wide as their widest cell, and JSON has the same columns")
  func table() {
    let table = Table("things", ["Name", "Process State"], [["a", "running"], ["long-name", "-"]])
    #expect(
      table.text == """
        Name       Process State
        a          running
        long-name  -

        2 things
        """)
    #expect(table.value[0] == ["name": "a", "process_state": "running"])
  }

  @Test(
    "Everything but unreserved characters is escaped in a path",
    arguments: [("redis", "redis"), ("a b/c?", "a%20b%2Fc%3F"), ("ü", "%C3%BC"), ("0+dev.1", "0%2Bdev.1")])
  func paths(_ text: String, _ expected: String) { #expect(PathText.escape(text) == expected) }
}
