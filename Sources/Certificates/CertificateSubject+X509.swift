import Formats
import SwiftASN1
import X509

extension CertificateSubject {
  /// `C=USA, O=Cloud Foundry, CN=…`, in that order: nats-server compares it with the users of its permissions.
  func distinguishedName() throws -> DistinguishedName {
    try Self.distinguishedName(commonName)
  }

  /// Country by a raw attribute, since X.509 wants two letters there, and BOSH has three.
  static func distinguishedName(_ commonName: String) throws -> DistinguishedName {
    try DistinguishedName([
      RelativeDistinguishedName.Attribute(type: .RDNAttributeType.countryName, printableString: "USA"),
      RelativeDistinguishedName.Attribute(type: .RDNAttributeType.organizationName, utf8String: "Cloud Foundry"),
      RelativeDistinguishedName.Attribute(type: .RDNAttributeType.commonName, utf8String: commonName),
    ])
  }

  /// All that the certificate is to say.
  func draft() throws -> CertificateDraft {
    CertificateDraft(
      subject: try distinguishedName(), constraints: .notCertificateAuthority,
      keyUsage: KeyUsage(digitalSignature: true, keyEncipherment: keyKind != .p256),
      extendedKeyUsage: try extendedKeyUsage(), alternativeNames: try alternativeNames(), validity: validity)
  }

  /// The names a server answers to, or nil if it is a client only.
  func alternativeNames() throws -> SubjectAlternativeNames? {
    guard !dnsNames.isEmpty || !addresses.isEmpty else { return nil }
    let dns = dnsNames.map { GeneralName.dnsName($0) }
    let ip = try addresses.map { address in
      guard let name = IPAddressText.generalName(address) else {
        throw DroverError(
          .invalid, "certificate for \(commonName): \(address.debugDescription) is not an IPv4 or IPv6 address")
      }
      return name
    }
    return SubjectAlternativeNames(dns + ip)
  }

  func extendedKeyUsage() throws -> ExtendedKeyUsage {
    try ExtendedKeyUsage(
      usages.sorted { $0.rawValue < $1.rawValue }.map { usage in
        switch usage {
        case .server: .serverAuth
        case .client: .clientAuth
        }
      })
  }

  /// Whether a certificate says what this asks for, names and uses.
  func isFulfilled(by certificate: Certificate) throws -> Bool {
    let names = try certificate.extensions.subjectAlternativeNames.map { Set($0) }
    return try certificate.subject == distinguishedName()
      && names == alternativeNames().map { Set($0) }
      && certificate.extensions.extendedKeyUsage == extendedKeyUsage()
  }
}
