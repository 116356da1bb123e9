import Formats
import Testing

@testable import Director

@Suite struct ErrandLimitsTests {
  private func refusal(_ run: ErrandRun) -> String? {
    do {
      try run.refuseImpossible()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("what no script can be started with is refused, and named")
  func refused() throws {
    let long = String(repeating: "x", count: 128 << 10)
    for (run, text) in [
      (ErrandRun(arguments: ["a", "b\0c"]), "argument 2: has a NUL character"),
      (ErrandRun(environment: ["A": "b\0"]), "variable 'A': has a NUL character"),
      (ErrandRun(environment: ["A\0": "b"]), "has a NUL character"),
      (ErrandRun(environment: ["A=B": "c"]), "variable 'A=B': expected a name"),
      (ErrandRun(environment: ["": "c"]), "variable '': expected a name"),
      (ErrandRun(arguments: [long]), "argument 1: is 131072 bytes long, at most 131071 reach a script"),
      (ErrandRun(environment: ["A": long]), "variable 'A': is 131074 bytes long"),
      (ErrandRun(arguments: Array(repeating: "xxxxxxx", count: 200_000)), "bytes long together, at most"),
      (ErrandRun(arguments: Array(repeating: String(repeating: "\u{1}", count: 100_000), count: 2)), "long together"),
    ] {
      let found = try #require(refusal(run), "\(text)")
      #expect(found.contains(text))
    }
  }

  @Test("what is odd, and possible, is taken")
  func accepted() {
    let longest = String(repeating: "x", count: (128 << 10) - 1)
    #expect(
      refusal(ErrandRun(arguments: ["", "\n", "$HOME", "'\"", "ü", longest], environment: ["A B": "", "ü": "="])) == nil
    )
    #expect(refusal(ErrandRun(arguments: Array(repeating: "", count: 100_000))) == nil)
  }
}
