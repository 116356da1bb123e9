import Formats
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
  @Test(
    "Values are read as they were written",
    arguments: [
      ("null", nil), ("true", true), ("-0", 0), ("12", 12), ("1.0", 1.0), ("1e2", 100.0), ("\"\\u00e9\\n\"", "é\n"),
      ("\"\\ud83d\\ude00\"", "😀"), ("\"\\ud83d\"", "\u{FFFD}"), ("[1,[2]]", [1, [2]]), ("{\"a\":{}}", ["a": [:]]),
      ("123456789012345680000", 1.2345678901234568e20),
    ] as [(String, Value?)])
  func reads(text: String, expected: Value?) throws {
    #expect(try JSON.parse(text) == expected ?? .null)
  }

  @Test(
    "What is no JSON is an error that names the place",
    arguments: [
      "", "{", "[1,]", "{\"a\" 1}", "01", "1.", "\"a", "\"\t\"", "tru", "1 2", "{a: 1}", "[1 2]", "\"\\x\"", "-", "1e",
      "// c", "{\"a\":1,}", "\u{FEFF}1",
    ])
  func refuses(text: String) {
    let error = #expect(throws: DroverError.self) { try JSON.parse(text) }
    #expect(error?.message.hasPrefix("JSON line 1 column ") == true)
  }

  @Test("Depth is bounded")
  func depth() {
    #expect(throws: DroverError.self) { try JSON.parse(String(repeating: "[", count: 100_000)) }
  }

  @Test("Members keep their order, and the last of two counts")
  func order() throws {
    #expect(JSON.text(try JSON.parse(#"{"b":1,"a":2,"b":3}"#)) == #"{"b":3,"a":2}"#)
    #expect(JSON.text(["b": 1, "a": 2], .init(sorted: true)) == #"{"a":2,"b":1}"#)
  }

  @Test("What is written reads back as the same value", arguments: 0..<200, [JSON.Style.compact, .pretty])
  func roundTrip(seed: UInt64, style: JSON.Style) throws {
    var random = SeededRandom(seed: seed)
    let value = SampleValues.value(depth: 4, using: &random)
    #expect(try JSON.parse(JSON.text(value, style)) == value)
  }

  @Test("Damaged text gives an error or a value, never more", arguments: 0..<300)
  func fuzz(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var bytes = JSON.bytes(SampleValues.value(depth: 5, using: &random))
    SampleValues.damage(&bytes, using: &random)
    do {
      _ = try JSON.parse(bytes)
    } catch let error as DroverError {
      #expect(error.code == .invalid)
    } catch {
      Issue.record("\(error)")
    }
  }
}
