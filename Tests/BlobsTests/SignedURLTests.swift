import Blobs
import Formats
import Surroundings
import Testing

@Suite("SignedURL") struct SignedURLTests {
  static let id = "0b3e62c5-6a3c-4a26-8a09-9a1f1c0d4f11"
  static let now = Timestamp(seconds: 1_700_000_000)
  let signer = SignedURL(secret: Array("secret".utf8))

  /// A request as it arrives: what the signature covers and the signature.
  struct Request: Sendable {
    var verb = "GET"
    var folder = "e0"
    var id = SignedURLTests.id
    var st: String? = "IXZtg43MSOT9RLcPYqcSVksr7jhuTINPsumJdrP7-Lo"
    var ts: String? = "1700000000"
    var e: String? = "86400"
  }

  private func verify(_ request: Request, at seconds: Int = 1_700_000_000) throws -> String {
    try signer.verify(
      request.verb, folder: request.folder, id: request.id, parameters: (request.st, request.ts, request.e),
      now: Timestamp(seconds: seconds))
  }

  @Test("a URL has the form and the signature that BOSH's DAV blobstore gives it")
  func form() throws {
    #expect(
      try signer.url(.get, Self.id, endpoint: "https://10.254.0.1:25250", now: Self.now)
        == "https://10.254.0.1:25250/signed/e0/\(Self.id)?st=IXZtg43MSOT9RLcPYqcSVksr7jhuTINPsumJdrP7-Lo&ts=1700000000&e=86400"
    )
  }

  @Test("a URL is good from its signing until it expires", arguments: [0, -299, 1, 86_399])
  func good(_ offset: Int) throws {
    #expect(try verify(Request(), at: 1_700_000_000 + offset) == Self.id)
  }

  @Test("a URL that expired says so", arguments: [86_400, 86_401, 900_000_000])
  func expired(_ offset: Int) throws {
    let error = #expect(throws: DroverError.self) { try verify(Request(), at: 1_700_000_000 + offset) }
    #expect(error?.code == .forbidden)
    #expect(error?.message.contains("expired") == true)
  }

  @Test(
    "everything that is changed makes it worthless",
    arguments: [
      Request(verb: "PUT"), Request(verb: "HEAD"), Request(verb: "get"), Request(folder: "00"), Request(folder: ""),
      Request(id: "0b3e62c5-6a3c-4a26-8a09-9a1f1c0d4f12"), Request(st: nil), Request(st: ""),
      Request(st: "IXZtg43MSOT9RLcPYqcSVksr7jhuTINPsumJdrP7-Lo="),
      Request(st: "AAAA"), Request(ts: nil), Request(ts: "1700000001"), Request(ts: ""), Request(e: nil),
      Request(e: "86401"), Request(e: "-1"), Request(e: "9999999999999999999999"),
      // The same signed text, cut elsewhere.
      Request(ts: "17000000008", e: "6400"), Request(ts: "170000000", e: "086400"),
      Request(ts: "1", e: "70000000086400"),
      Request(ts: "170000000086400", e: ""), Request(ts: "", e: "170000000086400"),
      Request(id: "0b3e62c5-6a3c-4a26-8a09-9a1f1c0d4f1", ts: "11700000000"),
    ])
  func tampered(_ request: Request) throws {
    // Base64 with padding is the same signature in other words.
    if request.st == "IXZtg43MSOT9RLcPYqcSVksr7jhuTINPsumJdrP7-Lo=" { return #expect(try verify(request) == Self.id) }
    let error = #expect(throws: DroverError.self) { try verify(request) }
    #expect(error?.code == .forbidden)
    #expect(error?.message.contains("expired") == false)
  }

  @Test("another server's signature is worthless")
  func otherSecret() throws {
    let other = SignedURL(secret: Array("other".utf8))
    #expect(throws: DroverError.self) {
      try other.verify(
        "GET", folder: "e0", id: Self.id,
        parameters: ("IXZtg43MSOT9RLcPYqcSVksr7jhuTINPsumJdrP7-Lo", "1700000000", "86400"), now: Self.now)
    }
  }

  @Test("an id that is no id, or a lifetime that is too long, is not signed")
  func refused() throws {
    #expect(throws: DroverError.self) { try signer.url(.get, "../x", endpoint: "https://a", now: Self.now) }
    #expect(throws: DroverError.self) {
      try signer.url(.get, Self.id, endpoint: "https://a", now: Self.now, lifetime: .seconds(604_801))
    }
    #expect(throws: DroverError.self) {
      try signer.url(.get, Self.id, endpoint: "https://a", now: Self.now, lifetime: .zero)
    }
  }
}
