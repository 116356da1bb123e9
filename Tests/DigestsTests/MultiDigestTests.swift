import Digests
import Formats
import Testing

@Suite("MultiDigest")
struct MultiDigestTests {
  private static let sha1 = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
  private static let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

  @Test("The text form is kept, in order, SHA-1 without a prefix")
  func printing() throws {
    let text = "sha256:\(Self.sha256);\(Self.sha1);sha3:abc"
    #expect(try MultiDigest(text).description == text)
    #expect(try MultiDigest("sha1:\(Self.sha1)").description == Self.sha1)
    #expect(try MultiDigest("\(Self.sha1);;").description == Self.sha1)
  }

  @Test(
    "What is no digest is refused",
    arguments: [
      "", ";", "sha3:abc", "sha256:", "abc;abc", "sha256:a;sha256:b", "sha256:a-b", "../x", ":abc", "sha256:a:b",
    ])
  func refuses(text: String) {
    #expect(throws: DroverError.self) { try MultiDigest(text) }
  }

  @Test("Only the strongest known digest is checked")
  func strongest() throws {
    let wrong = String(repeating: "0", count: 40)
    try MultiDigest("\(wrong);sha256:\(Self.sha256);sha9:ff").verify(bytes: "hello".utf8)
    #expect(try MultiDigest("\(wrong);sha512:1;sha256:2").strongest?.algorithm == .sha512)
    let error = #expect(throws: DroverError.self) {
      try MultiDigest("\(Self.sha1);sha256:ff").verify(bytes: "hello".utf8)
    }
    #expect(error?.message == "Expected stream to have digest 'sha256:ff' but was 'sha256:\(Self.sha256)'")
    #expect(error?.code == .corrupt)
    let sha1 = #expect(throws: DroverError.self) { try MultiDigest(wrong).verify(bytes: "hello".utf8) }
    #expect(sha1?.message == "Expected stream to have digest '\(wrong)' but was '\(Self.sha1)'")
  }

  @Test("A hasher sees the same in one piece and in many")
  func hashing() {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    var whole = DigestHasher(Set(DigestAlgorithm.allCases))
    whole.update(bytes)
    var pieces = DigestHasher(Set(DigestAlgorithm.allCases))
    for start in stride(from: 0, to: bytes.count, by: 777) { pieces.update(bytes[start...].prefix(777)) }
    #expect(whole.finish() == pieces.finish())
    #expect(whole.finish().pieces.map(\.name) == ["sha1", "sha256", "sha512"])
    #expect(DigestHasher.hex(.sha256, "hello") == Self.sha256)
    #expect(DigestHasher.hex(.sha1, "hello") == Self.sha1)
  }
}
