import GoConventions
import Testing

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
}
