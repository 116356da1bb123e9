import Formats
import TestSupport
import Testing

@Suite("SemiSemanticVersion")
struct SemiSemanticVersionTests {
  @Test(
    "Versions are ordered",
    arguments: [
      ("1", "<", "2"), ("1.9", "<", "1.10"), ("1.0", "=", "1"), ("1.0.0", "=", "1.0"), ("1.0.1", ">", "1"),
      ("a", ">", "9"),
      ("1-rc.1", "<", "1"), ("1-rc.2", ">", "1-rc.1"), ("1+dev.1", ">", "1"), ("1+dev.10", ">", "1+dev.9"),
      ("1-rc.1+dev.1", "<", "1"), ("01", "=", "1"), ("0+dev.1", "<", "1"), ("1.2.x", ">", "1.2.3"),
      ("99999999999999999999999", "<", "100000000000000000000000"), ("1-alpha-beta", "<", "1"), ("1_0", ">", "5"),
    ])
  func order(left: String, relation: String, right: String) throws {
    let left = try SemiSemanticVersion(left)
    let right = try SemiSemanticVersion(right)
    #expect((left < right) == (relation == "<"))
    #expect((left > right) == (relation == ">"))
    #expect((left == right) == (relation == "="))
    if left == right { #expect(left.hashValue == right.hashValue) }
  }

  @Test(
    "What is no version is refused", arguments: ["", "1..2", "1.", ".1", "1-", "1+", "1 2", "1/2", "é", "-1", "1+a+b"])
  func refuses(text: String) {
    #expect(throws: DroverError.self) { try SemiSemanticVersion(text) }
  }

  @Test("Order is total: sorting in any order gives the same", arguments: 0..<50)
  func total(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let parts = ["0", "1", "2", "10", "rc", "a"]
    func segment() -> String {
      (0..<Int.random(in: 1...3, using: &random)).map { _ in parts[Int.random(in: 0..<parts.count, using: &random)] }
        .joined(separator: ".")
    }
    let versions = try (0..<20).map { _ in
      let text =
        segment() + (Bool.random(using: &random) ? "-\(segment())" : "")
        + (Bool.random(using: &random) ? "+\(segment())" : "")
      let version = try SemiSemanticVersion(text)
      #expect(version.description == text)
      return version
    }
    #expect(versions.shuffled(using: &random).sorted() == versions.shuffled(using: &random).sorted())
  }

  @Test("The next development version")
  func next() throws {
    #expect(try SemiSemanticVersion("0").nextDevelopment.description == "0+dev.1")
    #expect(try SemiSemanticVersion("0+dev.9").nextDevelopment.description == "0+dev.10")
    #expect(try SemiSemanticVersion("1.2-rc.1").nextDevelopment.description == "1.2-rc.1+dev.1")
    #expect(try SemiSemanticVersion("1.2+dev.3").nextRelease.description == "1.3")
    #expect(try SemiSemanticVersion("1.2+dev.3").base.description == "1.2")
  }
}

@Suite("VersionRequest")
struct VersionRequestTests {
  @Test(
    "What a manifest asks for is found",
    arguments: [
      ("latest", "2+dev.1"), ("1.latest", "1.10"), ("1.2.latest", "1.2.7"), ("3.latest", nil), ("1.10", "1.10"),
      ("1.10.0", "1.10"), ("2", "2"), ("nothing", nil), ("10.latest", nil),
    ] as [(String, String?)])
  func chooses(request: String, expected: String?) {
    let versions = ["1.2.3", "1.10", "1.2.7", "2", "2+dev.1", "no version!"]
    #expect(VersionRequest(request).choose(from: versions) == expected)
    #expect(VersionRequest(request).description == request)
  }
}
