import Files
import Formats
import TestSupport
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(10))) struct ScriptSpecTests {
  @Test("a spec is the same after it was written down")
  func specForm() throws {
    let spec = ScriptSpec(
      ["/bin/x", "a b", ""], environment: ["A": "=\n\""], directory: "/tmp", niceness: 5, uid: 1, gid: 2, umask: 0o77,
      stdout: .append("/log"), stderr: .own, cgroup: "/sys/fs/cgroup/x")
    #expect(try ScriptSpec(written: spec.bytes()) == spec)
    let plain = ScriptSpec(["/bin/x"], environment: ["": "", "ä": "\u{301}"], outputLimit: 7)
    #expect(try ScriptSpec(written: plain.bytes()) == plain)
    for bad in [
      ScriptSpec([]), ScriptSpec([""]), ScriptSpec(["/bin/x", "a\0b"]), ScriptSpec(["/bin/x"], directory: "/\0"),
      ScriptSpec(["/bin/x"], environment: ["A\0": ""]),
    ] {
      #expect(throws: DroverError.self) { try bad.bytes() }
    }
  }

  @Test("a runner runs nothing when the spec is not one, whatever it is instead")
  func brokenSpecs() async throws {
    try await withTemporaryFolder { folder in
      let good = try ScriptSpec(["/bin/sh", "-c", "touch \(folder)/ran"], environment: ["A": "b"]).bytes()
      var random = SystemRandomNumberGenerator()
      var broken: [[UInt8]] = [[], [0], Array("argument".utf8), Array("argument=/bin/true".utf8), good.dropLast()]
      for _ in 0..<40 {
        // What has no `=` where one must be is not read as something else.
        var bytes = good
        let equals = bytes.indices.filter { bytes[$0] == UInt8(ascii: "=") }
        bytes[try #require(equals.dropFirst().dropLast(3).randomElement())] = .random(in: 1...32)
        broken.append(bytes)
        broken.append((0..<Int.random(in: 1...300)).map { _ in random.next() })
      }
      for (index, bytes) in broken.enumerated() {
        let run = "\(folder)/\(index)"
        try Files.makeFolder(run)
        try Files.replace("\(run)/spec", with: bytes)
        let result = try await Command(
          "bash", "-c", "exec -a \(Runner.name) \"$@\"", "bash", RunnerFixture.path, run
        ).result()
        let text = String(decoding: bytes, as: UTF8.self).debugDescription
        #expect(result.ending == .exited(1), "\(text)")
        #expect(result.lastErrorLines().contains("runner: \(run): reading the spec"), "\(text)")
        #expect(try Files.names(in: run) == ["lock", "spec"], "\(text)")
      }
      #expect(!Files.exists("\(folder)/ran"))
    }
  }
}
