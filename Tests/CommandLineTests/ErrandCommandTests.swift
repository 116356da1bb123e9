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

  @Test(
    "What can be meant is taken",
    arguments: [
      ["--instance", "web"], ["--instance", "web/0"], ["--instance", "web/first"], ["--timeout", "1h30m"],
      ["-E", "X="], ["-E", "X=a=b"],
    ])
  func accepted(_ flags: [String]) throws { #expect(try RunErrand.parse(flags + ["e"]).name == "e") }
}
