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
    var kept = spec
    kept.arguments = ["/bin/x"]
    kept.environment = [:]
    #expect(try ScriptSpec(written: spec.keptBytes()) == kept && spec.kept == kept)
    #expect(
      try String(decoding: spec.inputBytes(), as: UTF8.self)
        == "argument=/bin/x\0argument=a b\0argument=\0variable=A==\n\"\0")
    let plain = ScriptSpec(["/bin/x"], environment: ["": "", "ä": "\u{301}"], outputLimit: 7)
    #expect(try ScriptSpec(written: plain.keptBytes()) == plain.kept)
    #expect(
      try String(decoding: plain.inputBytes(), as: UTF8.self)
        == "argument=/bin/x\0variable==\0variable=ä=\u{301}\0")
    for bad in [
      ScriptSpec([]), ScriptSpec([""]), ScriptSpec(["/bin/x", "a\0b"]), ScriptSpec(["/bin/x"], directory: "/\0"),
      ScriptSpec(["/bin/x"], environment: ["A\0": ""]),
    ] {
      #expect(throws: DroverError.self) { try bad.keptBytes() + bad.inputBytes() }
    }
  }

  @Test("a runner runs nothing when what it is told is not a spec, whatever it is instead")
  func brokenSpecs() async throws {
    try await withTemporaryFolder { folder in
      let spec = ScriptSpec(["/bin/sh", "-c", "touch \(folder)/ran"], environment: ["A": "b"])
      let (kept, input) = (try spec.keptBytes(), try spec.inputBytes())
      var random = SystemRandomNumberGenerator()
      func breakings(of good: [UInt8], with bad: [UInt8]) throws -> [[UInt8]] {
        var broken: [[UInt8]] = [[], [0], Array("program".utf8), bad, good.dropLast()]
        for _ in 0..<20 {
          // What has no `=` where one must be is not read as something else.
          var bytes = good
          let equals = bytes.indices.filter { bytes[$0] == 0 }.compactMap { end in
            bytes[...end].split(separator: 0).last?.firstIndex(of: UInt8(ascii: "="))
          }
          bytes[try #require(equals.randomElement())] = .random(in: 1...32)
          broken.append(bytes)
          broken.append((0..<Int.random(in: 1...300)).map { _ in random.next() })
        }
        return broken
      }
      let broken =
        try breakings(of: kept, with: Array("program=/bin/true".utf8)).map { ($0, input) }
        + breakings(of: input, with: Array("variable=A=b\0".utf8)).map { (kept, $0) }
      for (index, (spec, input)) in broken.enumerated() {
        let run = "\(folder)/\(index)"
        try Files.makeFolder(run)
        try Files.replace("\(run)/spec", with: spec)
        try Files.replace("\(folder)/input", with: input)
        let result = try await Command(
          "bash", "-c", "exec -a \(Runner.name) \"$@\" < \(folder)/input", "bash", RunnerFixture.path, run
        ).result()
        let text = String(decoding: spec + input, as: UTF8.self).debugDescription
        #expect(result.ending == .exited(1), "\(text)")
        #expect(result.lastErrorLines().contains("runner: \(run): reading the spec"), "\(text)")
        #expect(try Files.names(in: run) == ["spec"], "\(text)")
      }
      #expect(try !Files.exists("\(folder)/ran"))
    }
  }
}
