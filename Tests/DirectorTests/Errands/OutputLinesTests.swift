import TestSupport
import Testing

@testable import Director

@Suite struct OutputLinesTests {
  @Test("Whole lines come out, the rest at the end, streams apart")
  func lines() {
    var lines = OutputLines()
    #expect(lines.take(Array("one\ntw".utf8), from: "stdout", at: .zero) == ["one"])
    #expect(lines.take(Array("err\n".utf8), from: "stderr", at: .zero) == ["err"])
    #expect(lines.take(Array("o\n".utf8), from: "stdout", at: .zero) == ["two"])
    #expect(lines.take(Array("rest".utf8), from: "stdout", at: .zero) == [])
    #expect(lines.end() == ["rest"])
    #expect(lines.end() == [])
  }

  @Test("Control characters become blanks, and what is not UTF-8 is replaced")
  func cleaned() {
    var lines = OutputLines()
    #expect(lines.take([0x1B, 0x41, 0xFF, 0x09, 0x0A], from: "stdout", at: .zero) == [" A\u{FFFD}\t"])
  }

  @Test("Too many lines a second are left out and counted; later ones come again")
  func limited() {
    var lines = OutputLines()
    let burst = Array(String(repeating: "x\n", count: 200).utf8)
    #expect(lines.take(burst, from: "stdout", at: .zero).count == OutputLines.linesPerSecond)
    let later = lines.take(Array("y\n".utf8), from: "stdout", at: .seconds(1))
    #expect(later == ["(150 more lines are in the result)", "y"])
  }

  @Test("Any bytes give valid lines of bounded length", arguments: 0..<30)
  func anyBytes(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var lines = OutputLines()
    for second in 0..<20 {
      let bytes = (0..<Int.random(in: 0...5000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      for line in lines.take(bytes, from: "stdout", at: .seconds(second)) {
        #expect(line.utf8.count <= OutputLines.maximumLength * 3)
        #expect(!line.contains("\n"))
      }
    }
  }
}
