import Formats
import Sealing
import Testing

@Suite("SealKeyText") struct SealKeyTextTests {
  private static let one = Base64.encode(Array(repeating: 1, count: 32))
  private static let two = Base64.encode(Array(repeating: 2, count: 32))

  @Test("a file that was written is read again, and an id needs not to be there")
  func written() throws {
    let key = try #require(SealKey(Array(repeating: 1, count: 32)))
    let keys = try SealKeyText.parse(SealKeyText.text(key), path: "f")
    #expect(keys.current == key)
    #expect(keys.ids == [key.id])
    #expect(try SealKeyText.parse("  \(Self.one)\r\n", path: "f").current == key)
  }

  @Test("the first key seals, and the others open")
  func several() throws {
    let keys = try SealKeyText.parse("# new\n\(Self.two)\n\n\(Self.one)\n", path: "f")
    let old = try SealKeyText.parse(Self.one, path: "f")
    #expect(keys.current == (try SealKeyText.parse(Self.two, path: "f")).current)
    #expect(keys.contains(old.current.id))
  }

  @Test(
    "a file that is damaged is refused with its line, and without what stands in it",
    arguments: [
      ("", "there is none"), ("# only this\n", "there is none"),
      ("\(one)\n\(one.dropLast(4))\n", "line 2"), ("0123456789abcdef \(one)\n", "line 1"), ("a b \(one)", "line 1"),
      ("no-base64!", "line 1"),
    ])
  func damaged(_ text: String, _ expected: String) {
    let error = #expect(throws: DroverError.self) { try SealKeyText.parse(text, path: "/etc/keys") }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains("/etc/keys") == true)
    #expect(error?.message.contains(expected) == true)
    #expect(error?.message.contains(String(Self.one.prefix(12))) == false)
  }
}
