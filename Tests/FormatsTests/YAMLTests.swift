import Formats
import TestSupport
import Testing

@Suite("YAML")
struct YAMLTests {
  @Test("Only the first document is read, and no document is null")
  func documents() throws {
    #expect(try YAML.parse("") == .null)
    #expect(try YAML.parse("# nothing\n") == .null)
    #expect(try YAML.parse("--- {}\n") == .object([:]))
    #expect(try YAML.parse("a: 1\n---\nb: 2\n") == ["a": 1])
  }

  @Test("Tabs after plain scalars and before comments are accepted")
  func tabs() throws {
    #expect(try YAML.parse("name: web\t\nport: 80\t# http\n") == ["name": "web", "port": 80])
  }

  @Test("Keys keep the spelling they were written with")
  func keys() throws {
    let object = try #require(try YAML.parse("on: 1\n010: 2\n~: 3\n'x': 4\n").object)
    #expect(object.keys == ["on", "010", "~", "x"])
  }

  @Test("Anchors, aliases and merge keys work as in Ruby")
  func merging() throws {
    let text = """
      base: &base {a: 1, b: 2}
      more: &more {b: 3, c: 4}
      one:
        <<: *base
        b: 5
      list:
        <<: [*base, *more]
      late:
        a: 9
        <<: *base
      plain: {'<<': 7}
      again: *base
      """
    let value = try YAML.parse(text)
    #expect(value["one"] == ["a": 1, "b": 5])
    #expect(value["list"] == ["a": 1, "b": 2, "c": 4])
    #expect(value["late"] == ["a": 1, "b": 2])
    #expect(value["plain"] == ["<<": 7])
    #expect(value["again"] == ["a": 1, "b": 2])
  }

  @Test("Of duplicate keys the last one counts, unless they are refused")
  func duplicates() throws {
    #expect(try YAML.parse("a: 1\na: 2\n") == ["a": 2])
    let error = #expect(throws: DroverError.self) {
      try YAML.parse("a: 1\nb: 0\na: 2\n", file: "x.yml", options: .init(duplicateKeys: .refused))
    }
    #expect(error?.description == "x.yml line 3 column 1: key 'a' is there already, in line 1")
  }

  @Test(
    "Errors name file, line and column",
    arguments: [
      ("a: b: c\n", "m.yml line 1 column 5: mapping values are not allowed in this context"),
      ("a: *nowhere\n", "m.yml line 1 column 4: unknown anchor 'nowhere'"),
      ("a:\n  - 1\n b: 2\n", "m.yml line 3 column 2"),
      ("? [a]\n: 1\n", "m.yml line 1 column 3: a key must be a string, not a sequence or mapping"),
      ("a: \"x\n", "m.yml line 2 column 1: found unexpected end of stream"),
      ("a: \u{1}\n", "m.yml"),
      ("a: &x [*x]\n", "m.yml line 1 column 8: unknown anchor 'x'"),
    ])
  func errors(text: String, message: String) {
    let error = #expect(throws: DroverError.self) { try YAML.parse(text, file: "m.yml") }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test("Bytes that are no UTF-8 are an error")
  func encoding() {
    let error = #expect(throws: DroverError.self) { try YAML.parse([0x61, 0x3A, 0x20, 0xFF, 0x0A], file: "m.yml") }
    #expect(error?.code == .invalid)
  }

  @Test("Aliases that multiply beyond the limit are refused")
  func bomb() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...20 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(aliases)]\n"
    }
    let error = #expect(throws: DroverError.self) { try YAML.parse(text) }
    #expect(error?.code == .tooLarge)
  }

  @Test("Depth and size are bounded")
  func bounds() throws {
    #expect(throws: DroverError.self) { try YAML.parse(String(repeating: "[", count: 5000)) }
    #expect(throws: DroverError.self) { try YAML.parse("abc", options: .init(maximumBytes: 2)) }
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(try YAML.parse(deep).array != nil)
  }

  @Test("What is written reads back as the same value", arguments: 0..<200)
  func roundTrip(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let value = SampleValues.value(depth: 4, using: &random)
    let text = YAML.text(value)
    #expect(try YAML.parse(text) == value, "\(text)")
  }

  @Test(
    "Strings that look like something else survive",
    arguments: [
      "", " ", "yes", "No", "~", "null", "1", "1.5", "0x1f", "1e3", "1:30", "2020-01-01", "- a", "a: b", "a #b", "#a",
      "'", "\"", "\\", "a\nb", "a\nb\n", "a\n\nb\n", " a\nb", "\n", "a\n\n", "a\n \nb\n", "\t", "a\tb", "é", "\u{85}",
      "\u{2028}", "\u{FEFF}", "\u{0}", "{", "[", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "?", "? a", "a:", "<<",
      "=",
      "y", "---", "...", "-----BEGIN CERTIFICATE-----\nabc=\n-----END CERTIFICATE-----\n", "sha256:00", "((password))",
      "0123456789abcdef0123456789abcdef", "123456789012345678901234567890", "1e5555555555555555555555",
    ])
  func strings(text: String) throws {
    #expect(try YAML.parse(YAML.text(.string(text))) == .string(text))
    #expect(try YAML.parse(YAML.text(["k": .string(text)])) == ["k": .string(text)])
    #expect(try YAML.parse(YAML.text([[.string(text)]])) == [[.string(text)]])
    #expect(try YAML.parse(YAML.text(.object([text: "v"]))) == .object([text: "v"]))
  }

  @Test("Damaged text gives an error or a value, never more", arguments: 0..<300)
  func fuzz(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var bytes = Array(YAML.text(SampleValues.value(depth: 4, using: &random)).utf8)
    bytes += Array("\na: &x {<<: *x, b: [1, 'x', \"y\\n\"], c: |\n  text\n}\n".utf8)
    SampleValues.damage(&bytes, using: &random)
    do {
      _ = try YAML.parse(bytes, file: "f.yml", options: .init(maximumNodes: 10_000))
    } catch let error as DroverError {
      #expect(error.message.hasPrefix("f.yml"))
    } catch {
      Issue.record("\(error)")
    }
  }
}
