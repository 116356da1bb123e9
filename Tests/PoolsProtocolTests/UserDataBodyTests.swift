import Formats
import Testing

@testable import PoolsProtocol

@Suite struct UserDataBodyTests {
  @Test(
    "an object of strings is user data, and nothing or null is none",
    arguments: [
      ("", nil), (" \n", nil), ("null", nil), ("{}", [:]), (#"{"a":"1","b":""}"#, ["a": "1", "b": ""]),
      (#"{"a":"1"} trailing"#, ["a": "1"]), (#"{"a":null}"#, ["a": ""]), (#"{"a":"\ud800x"}"#, ["a": "\u{FFFD}x"]),
      (#"{"a":"\ud83d\ude00"}"#, ["a": "😀"]),
    ] as [(String, [String: String]?)])
  func reads(text: String, data: [String: String]?) throws {
    #expect(try UserDataBody.parse(Array(text.utf8)) == data)
  }

  @Test(
    "anything else is refused in the words of Go's decoder",
    arguments: [
      ("{bad", "invalid character 'b' looking for beginning of object key string"),
      (#"{"a":1}"#, "json: cannot unmarshal number into Go struct field UserDataMap.a of type string"),
      (#"{"a":{}}"#, "json: cannot unmarshal object into Go struct field UserDataMap.a of type string"),
      ("[]", "json: cannot unmarshal array into Go value of type common.UserDataMap"), (#"{"a":"#, "unexpected EOF"),
      (#"{"a":"1",}"#, "invalid character '}' looking for beginning of object key string"),
      (#"{"a" "1"}"#, "invalid character '\"' after object key"),
      (#"{"a":"1" "b"}"#, "invalid character '\"' after object key:value pair"),
      ("x", "invalid character 'x' looking for beginning of value"),
      ("trux", "invalid character 'x' in literal true (expecting 'e')"),
      (#"{"a":"\q"}"#, "invalid character 'q' in string escape code"),
      ("{\"a\n", #"invalid character '\n' in string literal"#),
      ("'a'", #"invalid character '\'' looking for beginning of value"#),
    ])
  func refuses(text: String, message: String) {
    #expect { try UserDataBody.parse(Array(text.utf8)) } throws: { ($0 as? DroverError)?.message == message }
  }
}
