import Testing

@testable import Formats

@Suite struct NearNamesTests {
  @Test(
    "names are near that differ in few letters or have the name in them",
    arguments: [
      ("smoke-test", ["smoke-tests", "backup"], ["smoke-tests"]),
      ("smoke_tests", ["smoke-tests", "backup"], ["smoke-tests"]),
      ("SMOKE-TESTS", ["smoke-tests"], ["smoke-tests"]),
      ("smoke", ["smoke-tests", "smoke", "spoke"], ["smoke", "smoke-tests", "spoke"]),
      ("ab", ["abc", "xyz", "a"], ["a", "abc"]),
      ("nothing", ["smoke-tests"], []),
      ("cuont", ["count", "court"], ["count"]),
      ("ba", ["ab", "cd"], ["ab"]),
      ("", ["a"], []),
      ("x", [], []),
      ("aaaa", ["aaab", "aaac", "aaad", "aaae"], ["aaab", "aaac", "aaad"]),
    ])
  func near(_ name: String, _ names: [String], _ expected: [String]) {
    #expect(NearNames.near(name, among: names) == expected)
  }

  @Test("a hint is a part of a sentence, or nothing")
  func hint() {
    #expect(NearNames.hint("smoke-test", among: ["smoke-tests", "x"]) == "; did you mean 'smoke-tests'?")
    #expect(NearNames.hint("ab", among: ["ac", "ad"]) == "; did you mean 'ac' or 'ad'?")
    #expect(NearNames.hint("nothing", among: ["x"]) == "")
  }
}
