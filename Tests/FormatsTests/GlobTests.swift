import Formats
import Testing

@Suite("Glob")
struct GlobTests {
  @Test(
    "Patterns match paths",
    arguments: [
      ("*.log", "a.log", true), ("*.log", "d/a.log", false), ("**/*.log", "a.log", true),
      ("**/*.log", "x/y/a.log", true),
      ("**/*", "a/b/c", true), ("a/**/*", "a/b", true), ("a/**/*", "a/b/c", true), ("a/**/*", "b/c", false),
      ("a/**", "a/b/c", true),
      ("**", "a/b", true), ("a?c", "abc", true), ("a?c", "a/c", false), ("[a-c]x", "bx", true),
      ("[!a-c]x", "bx", false),
      ("[^a-c]x", "dx", true), ("{a,b}/c", "b/c", true), ("{a,b{1,2}}", "b2", true), ("{a,b}", "c", false),
      ("a\\*", "a*", true),
      ("a\\*", "ab", false), ("redis/redis-*.tar.gz", "redis/redis-7.0.15.tar.gz", true), ("*", ".hidden", true),
      ("", "", true),
      ("foo**", "foobar", true), ("foo**", "foo/bar", false), ("[]]", "]", true), ("a*b*c", "aXbYbZc", true),
    ])
  func matches(pattern: String, path: String, expected: Bool) throws {
    #expect(try Glob(pattern).matches(path) == expected)
  }

  @Test("Ruby's patterns leave hidden files alone")
  func hidden() throws {
    #expect(try !Glob("*", matchesHidden: false).matches(".x"))
    #expect(try !Glob("**/*.log", matchesHidden: false).matches(".d/a.log"))
    #expect(try Glob("**/.*.log", matchesHidden: false).matches("d/.a.log"))
  }

  @Test("Patterns that are not closed, run backwards or explode are refused", arguments: ["[a", "{a", "[z-a]"])
  func refuses(pattern: String) {
    #expect(throws: DroverError.self) { try Glob(pattern) }
  }

  @Test("Hostile patterns take no time")
  func hostile() throws {
    #expect(throws: DroverError.self) { try Glob(String(repeating: "{a,b}", count: 20)) }
    let glob = try Glob(String(repeating: "*a", count: 30))
    #expect(!glob.matches(String(repeating: "a", count: 300) + "b"))
  }
}
