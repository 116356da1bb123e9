import Formats
import Testing

@testable import CommandLine

@Suite struct VariableTextTests {
  @Test(
    "a value is the text as it is; mappings are read where the type is one, and anything where it is json",
    arguments: [
      ("p@ss #1", "value", "p@ss #1"), ("0123", "password", "0123"), ("a: b", "value", "a: b"),
      ("-----BEGIN X-----\nAA\n-----END X-----", "value", "-----BEGIN X-----\nAA\n-----END X-----"),
      (" ", "value", " "), ("8080", "json", 8080), ("[1, a]", "json", [1, "a"]),
      ("{certificate: c, private_key: k}", "certificate", ["certificate": "c", "private_key": "k"]),
      ("username: u", "user", ["username": "u"]),
    ] as [(String, String, Value)])
  func values(text: String, type: String, value: Value) throws {
    #expect(try VariableText.value(text, type: type) == value)
  }

  @Test(
    "nothing is no value, and a text no certificate", arguments: [("", "value"), ("", "json"), ("x", "certificate")])
  func refused(text: String, type: String) {
    #expect(throws: DroverError.self) { try VariableText.value(text, type: type) }
  }
}
