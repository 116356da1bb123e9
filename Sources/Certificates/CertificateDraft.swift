import Formats
import FoundationEssentials
import Surroundings
import SwiftASN1
import X509

/// What a certificate is to say, apart from whose key it is and who signs it.
struct CertificateDraft {
  var subject: DistinguishedName
  var constraints: BasicConstraints
  var keyUsage: KeyUsage
  var extendedKeyUsage: ExtendedKeyUsage?
  var alternativeNames: SubjectAlternativeNames?
  var validity: Duration

  /// How far in the past a certificate begins, for peers whose clock is late.
  private static let clockTolerance: Duration = .seconds(3600)

  var isAuthority: Bool { constraints != .notCertificateAuthority }

  /// The certificate of a key; it ends no later than the issuer's own.
  /// - Parameter issuer: Nil for a certificate that signs itself.
  func signed(_ key: SigningKey, by issuer: Issuer?, _ surroundings: Surroundings) throws -> Certificate {
    let now = surroundings.now()
    let end = Self.date(now + validity)
    let identifier = SubjectKeyIdentifier(hash: key.key.publicKey)
    return try Certificate(
      version: .v3, serialNumber: Self.serialNumber(surroundings), publicKey: key.key.publicKey,
      notValidBefore: Self.date(now + (.zero - Self.clockTolerance)),
      notValidAfter: issuer.map { min(end, $0.certificate.notValidAfter) } ?? end,
      issuer: issuer?.certificate.subject ?? subject, subject: subject,
      extensions: Certificate.Extensions {
        Critical(constraints)
        Critical(keyUsage)
        if let extendedKeyUsage { extendedKeyUsage }
        identifier
        AuthorityKeyIdentifier(keyIdentifier: try issuer?.keyIdentifier() ?? identifier.keyIdentifier)
        if let alternativeNames { alternativeNames }
      },
      issuerPrivateKey: issuer?.key ?? key.key)
  }

  /// 16 random bytes, a positive number of full length.
  private static func serialNumber(_ surroundings: Surroundings) -> Certificate.SerialNumber {
    var bytes = surroundings.randomBytes(16)
    bytes[0] = bytes[0] & 0x3F | 0x40
    return Certificate.SerialNumber(bytes: bytes)
  }

  static func date(_ time: Timestamp) -> Date { Date(timeIntervalSince1970: Double(time.seconds)) }
}

extension Certificate {
  /// As a PEM text that ends its last line.
  func pem() throws -> String { try serializeAsPEM().pemString + "\n" }
}
