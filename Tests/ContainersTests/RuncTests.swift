import Containers
import Formats
import Testing

@Suite("Runc")
struct RuncTests {
  static let commands: [(Runc.Command, [String])] = [
    (.create(id: "a", bundle: "/b", pidFile: nil), ["create", "--bundle", "/b", "a"]),
    (.create(id: "a", bundle: "/b", pidFile: "/p"), ["create", "--bundle", "/b", "--pid-file", "/p", "a"]),
    (.start(id: "a"), ["start", "a"]),
    (.run(id: "a", bundle: "/b", pidFile: nil, detach: true), ["run", "--bundle", "/b", "--detach", "a"]),
    (.run(id: "a", bundle: "/b", pidFile: nil, detach: false), ["run", "--bundle", "/b", "a"]),
    (.kill(id: "a", signal: "TERM"), ["kill", "a", "TERM"]),
    (.delete(id: "a", force: false), ["delete", "a"]),
    (.delete(id: "a", force: true), ["delete", "--force", "a"]),
    (.state(id: "a"), ["state", "a"]),
    (.list, ["list", "--format", "json"]),
    (
      .exec(id: "a", terminal: true, environment: ["A=b"], user: "1:2", arguments: ["ls", "-l"]),
      ["exec", "--tty", "--env", "A=b", "--user", "1:2", "a", "ls", "-l"]
    ),
  ]

  @Test("each command has its arguments", arguments: commands)
  func arguments(command: Runc.Command, expected: [String]) { #expect(command.arguments == expected) }

  private func runc(systemd: Bool = false, log: String, status: Int, errors: String = "") -> Runc {
    Runc(
      root: "/r", systemdCgroup: systemd, newLogPath: { "/log" }, takeLog: { _ in Array(log.utf8) },
      run: { _ in Runc.Outcome(status: status, standardError: Array(errors.utf8)) })
  }

  @Test("the state folder, the log and systemd come before the command")
  func globalArguments() {
    #expect(
      runc(systemd: true, log: "", status: 0).arguments(for: .state(id: "a"), log: "/l")
        == ["--root", "/r", "--log", "/l", "--log-format", "json", "--systemd-cgroup", "state", "a"])
  }

  static let failures: [(log: String, errors: String, code: DroverError.Code, message: String)] = [
    (
      #"{"level":"warning","msg":"beware"}"# + "\n" + #"{"level":"error","msg":"container does not exist"}"# + "\n", "",
      .notFound, "runc start a: container does not exist"
    ),
    (
      #"{"level":"error","msg":"container with given ID already exists"}"#, "x", .conflict,
      "runc start a: container with given ID already exists"
    ),
    ("not json\n", "one\ntwo\n", .failed, "runc start a: one; two"),
    ("", "", .failed, "runc start a: exit status 1, without a message"),
  ]

  @Test("a failure has runc's own message", arguments: failures)
  func failure(log: String, errors: String, code: DroverError.Code, message: String) async throws {
    let error = await #expect(throws: DroverError.self) {
      try await runc(log: log, status: 1, errors: errors).perform(.start(id: "a"))
    }
    #expect(error?.code == code)
    #expect(error?.message == message)
  }

  @Test("success with warnings in the log is success")
  func success() async throws {
    try await runc(log: #"{"level":"warning","msg":"beware"}"#, status: 0).perform(.start(id: "a"))
  }
}
