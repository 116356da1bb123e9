import Formats
import FoundationEssentials
import Surroundings
import SwiftASN1
import X509

/// An authority that signs certificates: its key, and the certificate that says so.
struct Issuer {
  let key: Certificate.PrivateKey
  let certificate: Certificate
  /// The text that the certificate came in; there may be more in it.
  let pem: String

  init(key: Certificate.PrivateKey, certificate: Certificate, pem: String) {
    self.key = key
    self.certificate = certificate
    self.pem = pem
  }

  /// One that others may have made: what counts is the first certificate and the first key.
  /// - Throws: When they are not the certificate and the key of an authority.
  init(pem: String, key keyText: String) throws {
    let certificate = try Certificate(pemDocument: Self.block("CERTIFICATE", in: pem))
    let key = try Certificate.PrivateKey(pemDocument: Self.block("PRIVATE KEY", in: keyText))
    guard key.publicKey == certificate.publicKey else {
      throw DroverError(.corrupt, "the key belongs to another certificate")
    }
    if case .notCertificateAuthority = try certificate.extensions.basicConstraints {
      throw DroverError(.invalid, "the certificate is not one of an authority (CA:FALSE)")
    }
    if let usage = try certificate.extensions.keyUsage, !usage.keyCertSign {
      throw DroverError(.invalid, "the certificate may not sign others (its key usage has no keyCertSign)")
    }
    self.init(key: key, certificate: certificate, pem: pem)
  }

  /// The first block of a kind; files of others may begin with parameters or a text for people.
  private static func block(_ kind: String, in text: String) throws -> PEMDocument {
    guard let block = try PEMDocument.parseMultiple(pemString: text).first(where: { $0.discriminator.hasSuffix(kind) })
    else { throw DroverError(.corrupt, "it holds no PEM block '\(kind)'") }
    return block
  }

  /// What the authority's certificate says of its key; who made it may have counted it in another way than we do.
  func keyIdentifier() throws -> ArraySlice<UInt8> {
    try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
      ?? SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier
  }
}

extension Issuer {
  /// The authority that a variable's options name, or nil when the certificate is to sign itself.
  /// - Parameter authority: The value of the variable that they name.
  static func named(
    in options: FieldReader, _ draft: CertificateDraft, _ authority: Value?, now: Timestamp
  ) throws -> Issuer? {
    let signsItself = try options.optionalBool("self_sign") ?? false
    guard let name = try options.optionalString("ca"), !name.isEmpty else {
      guard signsItself || draft.isAuthority else {
        throw options.error(
          "ca", "missing; expected the name of the variable that holds the authority, or is_ca or self_sign: true")
      }
      return nil
    }
    guard !signsItself else {
      throw options.error(
        "self_sign", "expected false where ca is given ('\(name)'), found true; leave one of them out")
    }
    guard let authority else {
      throw options.error(
        "ca", "expected a variable with a value, found none for '\(name)'; define it with type certificate and is_ca")
    }
    do {
      let reader = try FieldReader(authority)
      let issuer = try Issuer(pem: reader.string("certificate"), key: reader.string("private_key"))
      let end = Timestamp(seconds: Int(issuer.certificate.notValidAfter.timeIntervalSince1970))
      guard end > now else {
        throw DroverError(.invalid, "its certificate ended at \(end.text); make it again")
      }
      if draft.isAuthority,
        case .isCertificateAuthority(maxPathLength: 0) = try issuer.certificate.extensions.basicConstraints
      {
        throw DroverError(.invalid, "it may not sign other authorities (path length 0)")
      }
      return issuer
    } catch {
      let found = "expected an authority that can sign, found the variable '\(name)'"
      throw DroverError(.invalid, "\(options.place("ca")): \(found)", cause: error)
    }
  }
}
