import Files
import Formats
import Glibc
import HTTPService
import Processes
import Synchronization
import TestSupport
import Testing

/// The executable, as control scripts call it.
@Suite(.timeLimit(.minutes(1))) struct SipidProgramTests {
  private struct Outcome {
    let code: Int
    let output: String
    let errors: String
  }

  private func sipid(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
    let program = TestProcess.path(of: "sipid")
    return try await withTemporaryFolder { folder in
      let child = try DetachedProcess(
        ["/bin/sh", "-c", "out=$1; shift; exec \"$@\" >$out/out 2>$out/err", "sh", folder, program] + arguments,
        environment: environment)
      guard case .exited(let code) = try await child.ending() else { throw DroverError(.failed, "sipid was killed") }
      return Outcome(
        code: code, output: Files.textIfPresent("\(folder)/out") ?? "",
        errors: Files.textIfPresent("\(folder)/err") ?? "")
    }
  }

  @Test("claims, refuses to claim again, kills, and has nothing to say when all is well")
  func life() async throws {
    try await withTemporaryFolder { folder in
      let pidfile = "\(folder)/run/pid"
      let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
      let claim = ["claim", "--pid", "\(child.pid)", "--pid-file", pidfile]
      var outcome = try await sipid(claim)
      #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
      #expect(Files.textIfPresent(pidfile) == "\(child.pid)")
      outcome = try await sipid(claim)
      #expect(outcome.code == 1 && outcome.output.isEmpty)
      let text = outcome.errors.split(separator: " ", maxSplits: 2).last ?? ""
      #expect(text == "claim failed: process \(child.pid) (\(pidfile)) is already in the pidfile\n")
      outcome = try await sipid(["kill", "--pid-file", pidfile])
      #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
      #expect(try await child.ending() == .signalled(15))
      outcome = try await sipid(["kill", "--pid-file", pidfile])
      #expect(
        outcome.code == 1 && outcome.errors.hasSuffix(" kill failed: open \(pidfile): no such file or directory\n"))
    }
  }

  @Test("wrong words are answered on standard error")
  func words() async throws {
    var outcome = try await sipid([])
    #expect(outcome.code == 1 && outcome.output.isEmpty && outcome.errors.hasPrefix("usage: "))
    outcome = try await sipid(["kill", "--pid"])
    #expect(outcome.code == 2 && outcome.errors.hasPrefix("flag provided but not defined: -pid\nUsage of "))
    outcome = try await sipid(["claim", "--help"])
    #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.hasPrefix("Usage of "))
  }

  @Test("waits until a service answers with 200, following where it is sent")
  func healthy() async throws {
    let answers = Mutex([500, 500, 302])
    try await withService { request, _ in
      if request.path == "/other" { return HTTPReply(200) }
      let status = answers.withLock { $0.isEmpty ? 500 : $0.removeFirst() }
      return HTTPReply(status).with("Location", "/other")
    } _: { port in
      let outcome = try await sipid([
        "wait-until-healthy", "--url", "http://127.0.0.1:\(port)/health", "--polling-frequency", "50ms", "--timeout",
        "40s",
      ])
      #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
      #expect(answers.withLock { $0.isEmpty })
    }
  }

  @Test("gives up when the time is over, and at once when there is nothing to ask")
  func unhealthy() async throws {
    let url = "http://127.0.0.1:\(try freePort())/"
    var outcome = try await sipid([
      "wait-until-healthy", "--url", url, "--polling-frequency", "200ms", "--timeout", "500ms",
    ])
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains(" poll failed: healthcheck unhealthy (url '\(url)' was not healthy after "))
    outcome = try await sipid(["wait-until-healthy", "--url", ":health"])
    #expect(outcome.code == 1 && outcome.errors.hasSuffix(" poll failed: parse \":health\": missing protocol scheme\n"))
    outcome = try await sipid(["wait-until-healthy", "--url", url, "--polling-frequency", "0"])
    #expect(outcome.code == 1 && outcome.errors.contains("polling-frequency must be more than 0"))
  }
}
