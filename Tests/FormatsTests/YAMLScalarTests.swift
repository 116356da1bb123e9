import Formats
import Testing

@Suite("YAML scalars")
struct YAMLScalarTests {
  @Test(
    "Plain scalars mean what Ruby takes them for",
    arguments: [
      ("yes", true), ("Yes", true), ("on", true), ("TRUE", true), ("no", false), ("off", false), ("False", false),
      ("~", nil), ("null", nil), ("NULL", nil), ("", nil),
      ("y", "y"), ("n", "n"), ("nullx", "nullx"), ("trueish", "trueish"),
      ("0", 0), ("-1", -1), ("+1", 1), ("007", 7), ("0777", 511), ("08", "08"), ("0o7", "0o7"), ("0x1F", 31),
      ("-0x1f", -31), ("0b101", 5), ("0b2", "0b2"), ("1_000", 1000), ("1,000", 1000), ("1__0", "1__0"), ("1_", "1_"),
      ("9223372036854775807", 9_223_372_036_854_775_807), ("-9223372036854775808", Value.int(.min)),
      ("9223372036854775808", Value.double(9_223_372_036_854_775_808)),
      ("1.5", 1.5), ("-1.5", -1.5), (".5", 0.5), ("5.", 5.0), ("1.0e+3", 1000.0), ("1.e+3", 1000.0),
      ("1e3", "1e3"), ("1.0e3", "1.0e3"), (".inf", Value.double(.infinity)), ("-.INF", Value.double(-.infinity)),
      (".", "."), ("1.2.3", "1.2.3"), ("1:30", 5400), ("1:30:15", 5415), ("1:99", "1:99"), ("12:30:45.5", 45045.5),
      ("2020-01-01", "2020-01-01"), ("2020-01-01 10:00:00", "2020-01-01 10:00:00"), (":symbol", ":symbol"),
      ("10%", "10%"), ("64mb", "64mb"), ("1.2.3+dev.4", "1.2.3+dev.4"), ("-", nil),
    ] as [(String, Value?)])
  func plain(text: String, expected: Value?) throws {
    let found = try YAML.parse("- " + text)[0]
    #expect(found == (text == "-" ? .array([.null]) : expected ?? .null))
  }

  @Test(
    "Quotes and tags decide over the text",
    arguments: [
      ("'yes'", "yes"), ("\"0\"", "0"), ("!!str 0", "0"), ("! 0", "0"), ("!!int '7'", 7), ("!!float 1", 1.0),
      ("!!bool 'on'", true), ("!!null x", nil), ("!!binary aGVsbG8=", "hello"), ("!binary aGVsbG8=", "hello"),
      ("!custom 5", 5), ("|\n  a\n  b\n", "a\nb\n"), (">\n  a\n  b\n", "a b\n"), (#""\x41\u00e9""#, "Aé"),
    ] as [(String, Value?)])
  func tagged(text: String, expected: Value?) throws {
    #expect(try YAML.parse("- " + text)[0] == expected ?? .null)
  }

  @Test("A tag that the text cannot have is an error", arguments: ["!!int x", "!!bool 3", "!!float a", "!!binary '*'"])
  func contradiction(text: String) {
    #expect(throws: DroverError.self) { try YAML.parse("a: " + text) }
  }
}
