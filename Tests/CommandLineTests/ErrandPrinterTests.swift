import Formats
import Testing

@testable import CommandLine

@Suite struct ErrandPrinterTests {
  private final class Written {
    var output = ""
    var errors = ""
  }

  private func line(_ instance: String, _ stream: String, _ text: String) -> [UInt8] {
    JSON.bytes([
      "instance": .string(instance), "stream": .string(stream), "offset": 0,
      "data": .string(Base64.encode(Array(text.utf8))),
    ]) + [0x0A]
  }

  private func header(_ names: [String]) -> [UInt8] {
    let instances = names.enumerated().map { Value.object(["name": .string($1), "index": .int($0)]) }
    return JSON.bytes(["instances": .array(instances)]) + [0x0A]
  }

  /// What is written, however the bytes are cut into pieces.
  private func printed(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws -> Written {
    var all: [Written] = []
    for size in [1, 7, bytes.count] {
      let written = Written()
      var printer = ErrandPrinter { bytes, stream in
        let text = String(decoding: bytes, as: UTF8.self)
        if stream == .output { written.output += text } else { written.errors += text }
      }
      for start in stride(from: 0, to: bytes.count, by: size) {
        try printer.take(Array(bytes[start..<min(bytes.count, start + size)]))
      }
      printer.end()
      all.append(written)
    }
    #expect(Set(all.map(\.output)).count == 1, sourceLocation: sourceLocation)
    #expect(Set(all.map(\.errors)).count == 1, sourceLocation: sourceLocation)
    return try #require(all.last)
  }

  @Test("one instance's output is written as it is")
  func one() throws {
    // What the server notes for itself is not printed.
    let positions = Array("{\"positions\":{\"web/a\":{\"stdout\":4,\"stderr\":3}},\"since\":150}\n".utf8)
    let written = try printed(
      header(["web/a"]) + line("web/a", "stdout", "half") + line("web/a", "stderr", "oh\n") + positions
        + line("web/a", "stdout", " line\nno end"))
    #expect(written.output == "half line\nno end")
    #expect(written.errors == "oh\n")
  }

  @Test("lines of several instances are whole, and say whose they are")
  func several() throws {
    let written = try printed(
      header(["web/a", "longer/b"]) + line("web/a", "stdout", "one ") + line("longer/b", "stdout", "two\n")
        + line("web/a", "stdout", "line\nlast") + line("longer/b", "stderr", "bad\nworse\n"))
    #expect(written.output == "longer/1 | two\nweb/0    | one line\nweb/0    | last\n")
    #expect(written.errors == "longer/1 | bad\nlonger/1 | worse\n")
  }

  @Test("output without a first line, of an older server, is written as it is")
  func old() throws {
    #expect(try printed(line("web/a", "stdout", "text")).output == "text")
  }

  @Test("Where output is left out a notice stands among the errors, and nothing in the output")
  func gap() throws {
    let gap = JSON.bytes(["instance": "a/1", "stream": "stdout", "offset": 2, "gap": 3_145_728]) + [0x0A]
    let one = try printed(header(["a/1"]) + line("a/1", "stdout", "x\n") + gap + line("a/1", "stdout", "y"))
    #expect(one.output == "x\ny")
    #expect(one.errors == "[stdout: 3 MiB from byte 2 on are left out: the output is longer than its limit]\n")
    let two = try printed(header(["a/1", "a/2"]) + gap)
    #expect(two.errors.hasPrefix("a/0 | [stdout: 3 MiB"))
  }
}
