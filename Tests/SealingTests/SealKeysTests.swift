import Formats
import Sealing
import Testing

@Suite("SealKeys") struct SealKeysTests {
  private static func key(_ byte: UInt8) throws -> SealKey { try #require(SealKey(Array(repeating: byte, count: 32))) }
  private let place = SealPlace(kind: "task", name: "0000000012", field: "request")

  @Test(
    "what was sealed comes out again, and nothing of it can be read in between",
    arguments: ["", "x", "s3cret-value", "sealed:1:looks:like", "ü\n\u{0}", String(repeating: "long ", count: 100_000)])
  func roundTrip(_ text: String) throws {
    let keys = SealKeys(try Self.key(1), source: "keys")
    let sealed = try keys.seal(text, at: place)
    #expect(SealKeys.isSealed(sealed))
    #expect(sealed.hasPrefix("sealed:1:\(keys.current.id):"))
    #expect(sealed.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
    #expect(text.utf8.count < 4 || !sealed.contains(text))
    #expect(try keys.openText(sealed, at: place) == text)
  }

  @Test("the same text at the same place is the same sealed text, and elsewhere another one")
  func deterministic() throws {
    let keys = SealKeys(try Self.key(1), source: "keys")
    let sealed = try keys.seal("value", at: place)
    #expect(try keys.seal("value", at: place) == sealed)
    let others = [
      try keys.seal("valuf", at: place),
      try keys.seal("value", at: SealPlace(kind: "task", name: "0000000012")),
      try SealKeys(Self.key(2), source: "keys").seal("value", at: place),
    ]
    // Neither the whole nor a nonce is had twice.
    let starts = ([sealed] + others).map { $0.split(separator: ":").last?.prefix(16) }
    #expect(Set(starts).count == starts.count)
  }

  @Test(
    "a text that was moved to another place does not open there",
    arguments: [
      SealPlace(kind: "task", name: "0000000013", field: "request"),
      SealPlace(kind: "tas", name: "k0000000012", field: "request"),
      SealPlace(kind: "task", name: "0000000012request", field: ""),
      SealPlace(kind: "config", name: "0000000012", field: "request"),
    ])
  func moved(_ other: SealPlace) throws {
    let keys = SealKeys(try Self.key(1), source: "keys")
    let sealed = try keys.seal("value", at: place)
    let error = #expect(throws: DroverError.self) { try keys.open(sealed, at: other) }
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains(other.description) == true)
  }

  @Test("a text of which any symbol was changed does not open, nor does one that was cut")
  func changed() throws {
    let keys = SealKeys(try Self.key(1), source: "keys")
    let sealed = Array(try keys.seal("value", at: place))
    let start = "sealed:1:\(keys.current.id):".count
    for index in start..<sealed.count {
      var other = sealed
      other[index] = sealed[index] == "A" ? "B" : "A"
      let error = #expect(throws: DroverError.self) { try keys.open(String(other), at: place) }
      #expect(error?.code == .corrupt)
      #expect(throws: DroverError.self) { try keys.open(String(sealed[..<index]), at: place) }
    }
  }

  @Test("after a change of keys what the older one has sealed is still read; without it the error says which is wanted")
  func rotated() throws {
    let (old, new) = (try Self.key(1), try Self.key(2))
    let sealed = try SealKeys(old, source: "keys").seal("value", at: place)
    let both = SealKeys(new, older: [old], source: "/var/lib/drover/seal.key")
    #expect(try both.openText(sealed, at: place) == "value")
    #expect(try both.seal("value", at: place).contains(new.id))
    let error = #expect(throws: DroverError.self) {
      try SealKeys(new, source: "/var/lib/drover/seal.key").open(sealed, at: place)
    }
    #expect(error?.code == .forbidden)
    for part in [old.id, new.id, "/var/lib/drover/seal.key", "'request' of task '0000000012'"] {
      #expect(error?.message.contains(part) == true)
    }
  }

  @Test("a text in clear, from before there were keys, is read as it is")
  func clear() throws {
    #expect(try SealKeys(Self.key(1), source: "keys").openText("{\"a\":1}", at: place) == "{\"a\":1}")
  }

  @Test("a key is not printed")
  func redacted() throws {
    let key = try Self.key(7)
    let keys = SealKeys(key, source: "keys")
    let secret = Base64.encode(Array(repeating: 7, count: 32))
    var dumped = ""
    dump(keys, to: &dumped)
    for text in ["\(key)", "\(keys)", String(reflecting: keys), dumped] {
      #expect(!text.contains(secret) && !text.contains("7, 7"), "\(text)")
    }
  }
}
