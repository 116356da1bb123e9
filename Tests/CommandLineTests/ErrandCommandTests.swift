import ArgumentParser
import Testing

@testable import CommandLine

@Suite struct ErrandCommandTests {
  @Test(
    "What cannot be meant is refused before anybody is asked",
    arguments: [
      ["--instance", ""], ["--instance", "/"], ["--instance", "/0"], ["--instance", "web/"], ["--timeout", "1e9s"],
      ["--timeout", "0s"], ["--instances", "0"], ["--parallel", "0"], ["-E", "x"], ["-E", "=x"], ["--secret-env", ""],
    ])
  func refused(_ flags: [String]) {
    do {
      _ = try RunErrand.parse(flags + ["e"])
      Issue.record("accepted: \(flags)")
    } catch {
      #expect(RunErrand.exitCode(for: error).rawValue == 64, "\(flags)")
    }
    #expect(throws: (any Error).self) { try RunErrand.parse([""]) }
  }

  @Test("A hundred thousand arguments reach the script as they are, without minutes of parsing")
  func many() throws {
    let script = ["", "--", "-d", "--timeout"] + (0..<100_000).map(String.init)
    let words = ["run", "errand", "e", "-d", "x", "--queue", "--"] + script
    let errand = try #require(try Drover.parsed(words) as? RunErrand)
    #expect(errand.arguments == script)
    #expect(errand.name == "e" && errand.queue && errand.options.deployment == "x")
    #expect(try (Drover.parsed(["run-errand", "e", "a", "--queue", "b"]) as? RunErrand)?.arguments == ["a", "b"])
    #expect(try (Drover.parsed(["run-errand", "e"]) as? RunErrand)?.arguments == [])
    #expect(throws: (any Error).self) { try Drover.parsed(["run-errand", "--", "e"]) }
  }

  @Test(
    "What can be meant is taken",
    arguments: [
      ["--instance", "web"], ["--instance", "web/0"], ["--instance", "web/first"], ["--timeout", "1h30m"],
      ["-E", "X="], ["-E", "X=a=b"],
    ])
  func accepted(_ flags: [String]) throws { #expect(try RunErrand.parse(flags + ["e"]).name == "e") }
}
