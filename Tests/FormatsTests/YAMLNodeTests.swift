import Formats
import Testing

@Suite("YAMLNode")
struct YAMLNodeTests {
  private func members(_ text: String) throws -> [YAMLNode.Member] {
    try #require(try YAML.node(Array(text.utf8))?.members)
  }

  private func text(_ node: YAMLNode) -> String? {
    if case .scalar(let scalar) = node.content { scalar.text } else { nil }
  }

  @Test("Scalars keep their spelling, their style and their tag")
  func spelling() throws {
    let members = try members("a: 0x10\nb: 'yes'\nc: 1.50\nd: !!str 1\ne: |\n  x\n")
    #expect(members.map { text($0.value) } == ["0x10", "yes", "1.50", "1", "x\n"])
    let scalars = members.compactMap { if case .scalar(let scalar) = $0.value.content { scalar } else { nil } }
    #expect(scalars.map(\.isPlain) == [true, false, true, true, false])
    #expect(scalars.map(\.tag) == [nil, nil, nil, "tag:yaml.org,2002:str", nil])
  }

  @Test("Everything knows its line and column, and what an alias stands for that of its anchor")
  func places() throws {
    let members = try members("a: &x\n  - 1\n  - b\nc: *x\n")
    #expect(members.map(\.line) == [1, 4])
    #expect(members.map(\.value.line) == [1, 1])
    guard case .sequence(let elements) = members[0].value.content else { throw Unexpected() }
    #expect(elements.map { [$0.line, $0.column] } == [[2, 5], [3, 5]])
  }

  @Test("A key of the mapping itself wins over merged ones, and of merged ones the first")
  func merging() throws {
    let document = try members("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  b: 9\n  <<: [*x, *y]\n")
    let merged = try #require(document[2].value.members)
    #expect(merged.map(\.key) == ["b", "a", "c"])
    #expect(merged.map { text($0.value) } == ["9", "1", "4"])
  }

  @Test("Null is nothing, a tilde or the word, not in quotes", arguments: ["", "~", "null", "NULL", "!!null x"])
  func null(text: String) throws {
    #expect(try members("a: \(text)\n")[0].value.isNull)
    #expect(try !members("a: '\(text)'\n")[0].value.isNull)
  }

  @Test("No document is no node")
  func empty() throws {
    #expect(try YAML.node([]) == nil)
    #expect(try YAML.node(Array("# nothing\n".utf8)) == nil)
  }

  private struct Unexpected: Error {}
}
