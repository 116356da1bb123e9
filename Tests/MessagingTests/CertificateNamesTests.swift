import Certificates
import Testing

@testable import Messaging

@Suite("CertificateNames")
struct CertificateNamesTests {
  @Test("finds the common name and the DNS names, and survives damaged bytes")
  func names() async throws {
    try await withDirectory { directory in
      let authority = CertificateAuthority(directory: directory)
      let subject = CertificateSubject.natsServer(dnsNames: ["*.nats.bosh-internal"], addresses: ["10.0.0.1"])
      var der = try Self.der(await authority.issue(subject).certificatePEM)
      let names = CertificateNames(der: der)
      #expect(names.commonNames == ["default.nats.bosh-internal"])
      #expect(names.dnsNames == ["default.nats.bosh-internal", "*.nats.bosh-internal"])
      #expect(try CertificateNames(der: Self.der(await authority.issue(.director).certificatePEM)).dnsNames == [])

      var generator = Chance(seed: 3)
      for length in 0..<der.count { _ = CertificateNames(der: Array(der[..<length])) }
      for _ in 0..<5000 {
        der[Int.random(in: 0..<der.count, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
        _ = CertificateNames(der: der)
      }
      #expect(CertificateNames(der: []).commonNames == [])
    }
  }

  @Test(
    "allows the names that BOSH's agent allows",
    arguments: [
      ("default.nats.bosh-internal", true), ("*.nats.bosh-internal", true), (".nats.bosh-internal", true),
      ("a-1.nats.bosh-internal", true), ("a.b.nats.bosh-internal", false), ("nats.bosh-internal", false),
      ("default.nats.bosh-internal.evil", false), ("default.natsxbosh-internal", false),
      ("ä.nats.bosh-internal", false),
      ("", false),
    ])
  func allowed(name: String, expected: Bool) { #expect(BOSHServerName.isAllowed(name) == expected) }

  private static func der(_ pem: String) throws -> [UInt8] {
    var bits = 0
    var count = 0
    var bytes: [UInt8] = []
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for line in pem.split(separator: "\n") where !line.hasPrefix("-") {
      for letter in line.utf8 {
        guard let value = alphabet.firstIndex(of: letter) else { continue }
        (bits, count) = ((bits << 6 | value) & 0xFFFF, count + 6)
        if count >= 8 {
          count -= 8
          bytes.append(UInt8(bits >> count & 0xFF))
        }
      }
    }
    return bytes
  }
}
