import Formats
import Surroundings
import Testing

@testable import PoolsProtocol

@Suite struct GoTextTests {
  @Test(
    "strings are quoted as Go's %q quotes them",
    arguments: [
      ("zzz", #""zzz""#), ("a\"b\\c", #""a\"b\\c""#), ("tab\tbell\u{07}", #""tab\tbell\a""#),
      ("\u{1}\u{7F}", #""\x01\x7f""#),
      ("grün 漢", #""grün 漢""#), ("\u{A0}\u{200B}", #""\u00a0\u200b""#), ("it's", #""it's""#),
    ])
  func quotes(text: String, quoted: String) { #expect(GoText.quoted(text) == quoted) }

  @Test(
    "JSON strings are escaped as Go's encoder escapes them",
    arguments: [
      ("<a>&b", #""\u003ca\u003e\u0026b""#), ("a\"\\/", #""a\"\\/""#),
      ("\n\r\t\u{8}\u{c}\u{1}", #""\n\r\t\b\f\u0001""#),
      ("é\u{2028}\u{2029}x", "\"é\\u2028\\u2029x\""), ("\u{7F}", "\"\u{7F}\""), ("¨©", "\"¨©\""),
    ])
  func escapes(text: String, json: String) {
    var bytes: [UInt8] = []
    GoText.appendJSON(text, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == json)
  }

  @Test("a resource is written member by member as Boskos writes it")
  func resource() throws {
    let resource = PooledResource(
      type: "t<1>", name: "n", state: "busy", owner: "o",
      lastUpdate: Timestamp(nanoseconds: 1_549_578_818_013_508_020), userData: ["b": "2", "a": "1"],
      expiration: Timestamp(nanoseconds: 1_549_578_818_900_000_000))
    let text =
      #"{"type":"t\u003c1\u003e","name":"n","state":"busy","owner":"o","lastupdate":"2019-02-07T22:33:38.01350802Z","#
      + #""userdata":{"a":"1","b":"2"},"expiration-date":"2019-02-07T22:33:38Z"}"#
    #expect(String(decoding: resource.json, as: UTF8.self) == text)
    var read = resource
    read.expiration = Timestamp(nanoseconds: 1_549_578_818_000_000_000)
    #expect(try PooledResource(json: JSON.parse(text)) == read)
    let bare = PooledResource(type: "t", name: "n")
    #expect(
      String(decoding: bare.json, as: UTF8.self)
        == #"{"type":"t","name":"n","state":"free","owner":"","lastupdate":"0001-01-01T00:00:00Z","userdata":{}}"#)
    #expect(try PooledResource(json: JSON.parse(bare.json)) == bare)
  }

  @Test("a metric has type, current and owner in that order, sorted inside")
  func metric() throws {
    let metric = PoolMetric(type: "t", current: ["free": 2, "busy": 1], owners: ["": 2, "o": 1])
    let text = #"{"type":"t","current":{"busy":1,"free":2},"owner":{"":2,"o":1}}"#
    #expect(String(decoding: metric.json, as: UTF8.self) == text)
    #expect(try PoolMetric(json: JSON.parse(text)) == metric)
  }

  @Test(
    "any RFC 3339 time is read",
    arguments: [
      ("1970-01-01T00:00:01Z", 1_000_000_000), ("1970-01-01T01:00:00.5+01:00", 500_000_000),
      ("2019-02-07T22:33:38.01350802Z", 1_549_578_818_013_508_020), ("1969-12-31T23:59:59Z", -1_000_000_000),
      ("2024-02-29T12:00:00-05:00", 1_709_226_000_000_000_000),
    ])
  func times(text: String, nanoseconds: Int64) {
    #expect(GoTime.parse(text) == .some(Timestamp(nanoseconds: nanoseconds)))
  }

  @Test("what is no time is refused, and Go's zero time is none")
  func noTimes() {
    #expect(GoTime.parse(GoTime.zero) == .some(nil))
    for text in ["", "2019-02-07", "2019-13-07T22:33:38Z", "2019-02-07T22:33:38", "2019-02-07T22:33:38.Z", "x"] {
      #expect(GoTime.parse(text) == nil)
    }
  }
}

@Suite struct GoDurationTests {
  @Test(
    "durations are read as Go reads them",
    arguments: [
      ("0", 0), ("300ms", 300_000_000), ("1.5h", 5_400_000_000_000), ("2h45m", 9_900_000_000_000),
      ("-1s", -1_000_000_000),
      ("+5us", 5_000), ("1µs", 1_000), (".5s", 500_000_000), ("1.s", 1_000_000_000), ("-0", 0),
      ("2540400h10m10s", 9_145_440_610_000_000_000),
    ])
  func reads(text: String, nanoseconds: Int64) throws {
    #expect(try GoDuration.parse(text) == .nanoseconds(nanoseconds))
  }

  @Test(
    "what is no duration is refused in Go's words",
    arguments: [
      ("bogus", #"time: invalid duration "bogus""#), ("10", #"time: missing unit in duration "10""#),
      ("5x", #"time: unknown unit "x" in duration "5x""#), ("", #"time: invalid duration """#),
      ("-", #"time: invalid duration "-""#), (".s", #"time: invalid duration ".s""#),
      ("3000000h", #"time: invalid duration "3000000h""#), ("1s ", #"time: unknown unit "s " in duration "1s ""#),
      ("☃\u{1}", #"time: invalid duration "\xe2\x98\x83\x01""#), ("\"\\", #"time: invalid duration "\"\\""#),
      ("99999999999999999999s", #"time: invalid duration "99999999999999999999s""#),
    ])
  func refuses(text: String, message: String) {
    #expect { try GoDuration.parse(text) } throws: { ($0 as? DroverError)?.message == message }
  }

  @Test(
    "durations are printed as Go prints them",
    arguments: [
      (1_200_000_000_000, "20m0s"), (0, "0s"), (1_500_000_000, "1.5s"), (250_000_000, "250ms"),
      (3_600_000_000_000, "1h0m0s"),
      (-90_000_000_000, "-1m30s"), (1_500, "1.5µs"), (7, "7ns"),
    ])
  func prints(nanoseconds: Int64, text: String) { #expect(GoDuration.text(.nanoseconds(nanoseconds)) == text) }
}

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
