import Archives
import Formats
import Testing

@Suite("EntryPath")
struct EntryPathTests {
  @Test(
    "Paths that stay inside", arguments: [("./a//b/", "a/b"), ("a/./b", "a/b"), (".", ""), ("./", ""), ("...", "...")])
  func inside(path: String, name: String) throws {
    #expect(try EntryPath.inside(path).joined(separator: "/") == name)
  }

  @Test(
    "Paths that do not",
    arguments: ["/a", "..", "a/../b", "a/..", "../a", "a\u{0}b", String(repeating: "x", count: 256), "//a"])
  func outside(path: String) { #expect(throws: DroverError.self) { try EntryPath.inside(path) } }

  @Test(
    "Links that stay inside",
    arguments: [("a", "b"), ("d/a", "../b"), ("d/a", ".."), ("a/b/c", "../../d/e"), ("a", ".")])
  func links(path: String, target: String) throws { try EntryPath.checkLink(at: path, target: target) }

  @Test(
    "Links that do not",
    arguments: [("a", "/etc"), ("a", ".."), ("d/a", "../../b"), ("d/a", "x/../../.."), ("d/a", "b/../c"), ("a", "")])
  func escaping(path: String, target: String) {
    #expect(throws: DroverError.self) { try EntryPath.checkLink(at: path, target: target) }
  }
}
