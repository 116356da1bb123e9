import Formats
import TestSupport
import Testing

@Suite("Base64 and Hex")
struct BinaryTextTests {
  @Test("Known texts", arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
  func known(text: String, encoded: String) {
    #expect(Base64.encode(text.utf8) == encoded)
    #expect(Base64.decode(encoded).map { String(decoding: $0, as: UTF8.self) } == text)
  }

  @Test("Any bytes survive", arguments: 0..<100)
  func roundTrip(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let bytes = (0..<Int.random(in: 0..<100, using: &random)).map { _ in
      UInt8.random(in: .min ... .max, using: &random)
    }
    #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    #expect(Base64.decode(Base64.encode(bytes, .url)) == bytes)
    #expect(!Base64.encode(bytes, .url).contains { "+/=".contains($0) })
    #expect(Hex.decode(Hex.encode(bytes)) == bytes)
  }

  @Test("What is neither is refused", arguments: ["a", "Zg=", "Zh==", "Z===", "Zm9v\n", "Zm!v"])
  func refuses(text: String) { #expect(Base64.decode(text) == nil) }

  @Test("every length comes back, and a symbol of neither alphabet is found wherever it stands")
  func lengths() {
    for length in 0..<70 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ length) }
      for text in [Base64.encode(bytes), Base64.encode(bytes, .url), Base64.encode(bytes.lazy.map { $0 })] {
        #expect(Base64.decode(text) == bytes)
        var symbols = Array(text.utf8.prefix { $0 != UInt8(ascii: "=") })
        #expect(symbols.count == (length * 8 + 5) / 6)
        for place in symbols.indices {
          let symbol = symbols[place]
          for wrong in [UInt8(ascii: "="), UInt8(ascii: " "), 0x00, 0x7F]
          where wrong != UInt8(ascii: "=") || place < symbols.count - 2 {
            symbols[place] = wrong
            #expect(Base64.decode(String(decoding: symbols, as: UTF8.self)) == nil)
          }
          symbols[place] = symbol
        }
      }
    }
  }
}

@Suite("Duration text")
struct DurationTextTests {
  @Test(
    "Durations as Go writes them",
    arguments: [("30s", 30_000), ("1h30m", 5_400_000), ("1.5s", 1_500), ("500ms", 500), ("0", 0), ("-2s", -2_000)])
  func reads(text: String, milliseconds: Int) throws {
    #expect(try Duration(text: text) == .milliseconds(milliseconds))
  }

  @Test("What has no unit is no duration", arguments: ["", "5", "s", "5x", "5s3", "1..2s", "99999999999h"])
  func refuses(text: String) { #expect(throws: DroverError.self) { try Duration(text: text) } }

  @Test("What is added to a time of day is limited", arguments: ["0", "-1", "0.5s", "87601h", "9223372036854775807"])
  func limited(text: String) throws {
    let reader = try FieldReader(["timeout": .string(text)], at: "run")
    #expect(throws: DroverError.self) { try reader.optionalSeconds("timeout") }
    #expect(try FieldReader(["timeout": "87600h"], at: "run").optionalSeconds("timeout") == 315_360_000)
  }

  @Test("For people", arguments: [(350, "0.3s"), (12_000, "12s"), (245_000, "4m05s"), (7_380_000, "2h03m")])
  func short(milliseconds: Int, text: String) { #expect(Duration.milliseconds(milliseconds).shortText == text) }
}

@Suite("Amounts, sizes and names")
struct AmountTests {
  @Test("Amounts", arguments: [("2", 2), ("10%", 1), ("100%", 10), ("0%", 0), ("15%", 1)])
  func amounts(text: String, ofTen: Int) throws {
    #expect(try Amount(text).of(10) == ofTen)
    #expect(try Amount(text).description == text)
  }

  @Test("What is no amount is refused", arguments: ["", "%", "-1", "+1", "101%", "1.5", "x"])
  func noAmount(text: String) { #expect(throws: DroverError.self) { try Amount(text) } }

  @Test(
    "Sizes",
    arguments: [("64K", 65536), ("1.5G", 1_610_612_736), ("100", 100), ("2MiB", 2_097_152), ("1mb", 1_048_576)])
  func sizes(text: String, bytes: Int) throws { #expect(try ByteSize(text).bytes == bytes) }

  @Test("What is no size is refused", arguments: ["", "K", "1X", "-1K", "1e30T", "1KK"])
  func noSize(text: String) { #expect(throws: DroverError.self) { try ByteSize(text) } }

  @Test("Sizes for people", arguments: [(0, "0 B"), (1536, "1.5 KiB"), (1 << 20, "1 MiB"), (1023, "1023 B")])
  func sizeText(bytes: Int, text: String) { #expect(ByteSize(bytes: bytes).description == text) }

  @Test(
    "Names",
    arguments: [("redis", true), ("a_b-c.1+x", true), ("", false), ("..", false), ("a/b", false), ("é", false)])
  func names(name: String, isAllowed: Bool) { #expect(NameRule.artifact.allows(name) == isAllowed) }
}
