import Files
import Glibc
import TestSupport
import Testing

@testable import Processes

@Suite struct OutputLimitTests {
  @Test(
    "What is left out is what lies between the head and the tail",
    arguments: [
      (0, nil), (1000, nil), (1250, nil), (1251, 1000..<1001), (5000, 1000..<4750),
    ] as [(Int, Range<Int>?)])
  func gap(_ size: Int, _ gap: Range<Int>?) {
    #expect(OutputLimit(1000).gap(of: size) == gap)
  }

  @Test(
    "A reader has the head at once, and what follows the gap when the script has ended",
    arguments: [
      // Offset, size, ended, what is read.
      (0, 500, false, 0..<500), (0, 1100, false, 0..<1000), (1000, 9000, false, 1000..<1000), (0, 1100, true, 0..<1100),
      (1000, 1100, true, 1000..<1100), (300, 5000, true, 300..<1000), (1000, 5000, true, 4750..<5000),
      (2000, 5000, true, 4750..<5000), (4800, 5000, true, 4800..<5000), (5000, 5000, true, 5000..<5000),
      (7, 5, true, 7..<7),
    ])
  func window(_ offset: Int, _ size: Int, _ hasEnded: Bool, _ window: Range<Int>) {
    #expect(OutputLimit(1000).window(from: offset, size: size, hasEnded: hasEnded) == window)
  }

  @Test("The tail is not more than 16 MiB") func tail() { #expect(OutputLimit(1 << 30).tail == 16 << 20) }

  @Test("The disk space of what is left out is given back while the script runs, and nothing else changes")
  func trimming() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let text =
        "head -c 3000000 /dev/zero | tr '\\0' a; echo end; while [ ! -e \(folder)/go ]; do sleep 0.02; done; echo more"
      let script = try await runner.start(
        id: "x", ScriptSpec(["/bin/bash", "-c", text], environment: ["PATH": "/usr/bin:/bin"], outputLimit: 100_000))
      while script.outputSize(.stdout) < 3_000_004 { try await Task.sleep(for: .milliseconds(5)) }
      script.trimOutput()
      var status = stat()
      #expect(stat(script.stdoutPath, &status) == 0 && status.st_blocks < 400)
      #expect(try script.piece(.stdout, from: 0, maximum: 1 << 20).bytes == Array(repeating: 97, count: 100_000))
      #expect(try script.piece(.stdout, from: 100_000, maximum: 1 << 20).bytes == [])
      #expect(script.isHeldBack(.stdout, at: 100_000) && !script.isHeldBack(.stderr, at: 0))
      _ = try Files.create("\(folder)/go", with: [])
      #expect(try await script.wait() == .exited(0))
      script.trimOutput()
      let tail = try script.piece(.stdout, from: 100_000, maximum: 1 << 20)
      #expect(tail.start == 3_000_009 - 25_000 && tail.size == 3_000_009)
      #expect(tail.bytes == Array(repeating: 97, count: 25_000 - 9) + Array("end\nmore\n".utf8))
    }
  }

  @Test("What a process left behind prints after the script's end is none of its output")
  func leftBehind() async throws {
    try await withTemporaryFolder { folder in
      let runner = RunnerFixture.runner(folder)
      let text = "echo parent; (while [ ! -e \(folder)/go ]; do sleep 0.02; done; echo child; touch \(folder)/done) &"
      let script = try await runner.start(
        id: "x", ScriptSpec(["/bin/bash", "-c", text], environment: ["PATH": "/usr/bin:/bin"]))
      #expect(try await script.wait() == .exited(0))
      _ = try Files.create("\(folder)/go", with: [])
      while try !Files.exists("\(folder)/done") { try await Task.sleep(for: .milliseconds(5)) }
      #expect(try script.piece(.stdout, from: 0, maximum: 100).bytes == Array("parent\n".utf8))
      #expect(script.outputSize(.stdout) == 7)
    }
  }
}
