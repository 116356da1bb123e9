import Formats
import SwiftASN1
import X509

extension CertificateDraft {
  /// What the options of a variable of type `certificate` ask for.
  init(_ options: FieldReader) throws {
    let isAuthority = try options.optionalBool("is_ca") ?? false
    subject = try Self.subject(options)
    constraints = isAuthority ? .isCertificateAuthority(maxPathLength: nil) : .notCertificateAuthority
    keyUsage = try Self.keyUsage(options, isAuthority: isAuthority)
    extendedKeyUsage = try Self.extendedKeyUsage(options)
    alternativeNames = try Self.alternativeNames(options)
    let days = try options.optionalInt("duration") ?? 365
    guard Self.days.contains(days) else {
      throw options.error(
        "duration", "expected \(Self.days.lowerBound) to \(Self.days.upperBound) days, found \(days)")
    }
    validity = .seconds(days * 86400)
  }

  private static let days = 1...36500

  /// The options that make up the subject's name, in its order, and how long each may be (X.520).
  private static let parts: [(option: String, type: ASN1ObjectIdentifier, limit: Int)] = [
    ("country", .RDNAttributeType.countryName, 2), ("state", .RDNAttributeType.stateOrProvinceName, 128),
    ("locality", .RDNAttributeType.localityName, 128), ("organization", .RDNAttributeType.organizationName, 64),
    ("organization_unit", .RDNAttributeType.organizationalUnitName, 64),
    ("common_name", .RDNAttributeType.commonName, 64),
  ]

  private static func subject(_ options: FieldReader) throws -> DistinguishedName {
    let attributes = try parts.compactMap { option, type, limit -> RelativeDistinguishedName.Attribute? in
      guard let text = try options.optionalString(option), !text.isEmpty else { return nil }
      guard option != "country" else {
        guard text.utf8.count == limit, text.utf8.allSatisfy({ isLetter($0) }) else {
          throw options.error(option, "expected two letters, found \(text.debugDescription)")
        }
        return try .init(type: type, printableString: text)
      }
      guard text.unicodeScalars.count <= limit else {
        throw options.error(option, "expected at most \(limit) characters, found \(text.unicodeScalars.count)")
      }
      return .init(type: type, utf8String: text)
    }
    guard !attributes.isEmpty else {
      let others = parts.dropLast().map(\.option).joined(separator: ", ")
      throw options.error("common_name", "missing; expected it or another part of the subject's name (\(others))")
    }
    return try DistinguishedName(attributes)
  }

  private static func alternativeNames(_ options: FieldReader) throws -> SubjectAlternativeNames? {
    let names = try options.strings("alternative_names").enumerated().map { index, name in
      if let address = IPAddressText.generalName(name) { return address }
      guard isDNSName(name) else {
        let expected = "expected an IP address or a DNS name, which may begin with '*.'"
        throw options.error("alternative_names[\(index)]", "\(expected), found \(name.debugDescription)")
      }
      return GeneralName.dnsName(name)
    }
    return names.isEmpty ? nil : SubjectAlternativeNames(names)
  }

  private static func isDNSName(_ name: String) -> Bool {
    var labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    if labels.count > 1, labels[0].elementsEqual("*".utf8) { labels.removeFirst() }
    return name.utf8.count <= 253
      && labels.allSatisfy { label in
        !label.isEmpty && label.count <= 63
          && label.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 0x2D || $0 == 0x5F }
      }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) }

  /// What is asked for; if nothing is, what TLS needs. An authority can always sign.
  private static func keyUsage(_ options: FieldReader, isAuthority: Bool) throws -> KeyUsage {
    let asked = try options.strings("key_usage")
    var usage = KeyUsage()
    for (index, name) in asked.enumerated() {
      guard let bit = usages[name] else { throw unknown("key_usage", index, name, Array(usages.keys), options) }
      usage[keyPath: bit] = true
    }
    if isAuthority {
      usage.keyCertSign = true
      usage.cRLSign = true
    } else if asked.isEmpty {
      usage.digitalSignature = true
      usage.keyEncipherment = true
    }
    return usage
  }

  /// What is asked for; if nothing is, none, and then every use is allowed.
  private static func extendedKeyUsage(_ options: FieldReader) throws -> ExtendedKeyUsage? {
    let asked = try options.strings("extended_key_usage")
    var usages: [ExtendedKeyUsage.Usage] = []
    for (index, name) in asked.enumerated() {
      guard let usage = extendedUsages[name] else {
        throw unknown("extended_key_usage", index, name, Array(extendedUsages.keys), options)
      }
      if !usages.contains(usage) { usages.append(usage) }
    }
    return usages.isEmpty ? nil : try ExtendedKeyUsage(usages)
  }

  private static func unknown(
    _ option: String, _ index: Int, _ name: String, _ known: [String], _ options: FieldReader
  ) -> DroverError {
    let expected = "expected one of \(known.sorted().joined(separator: ", ")), found '\(name)'"
    return options.error("\(option)[\(index)]", expected + NearNames.hint(name, among: known))
  }

  private static var usages: [String: WritableKeyPath<KeyUsage, Bool>] {
    [
      "digital_signature": \.digitalSignature, "non_repudiation": \.nonRepudiation,
      "key_encipherment": \.keyEncipherment, "data_encipherment": \.dataEncipherment, "key_agreement": \.keyAgreement,
      "key_cert_sign": \.keyCertSign, "crl_sign": \.cRLSign, "encipher_only": \.encipherOnly,
      "decipher_only": \.decipherOnly,
    ]
  }

  private static let extendedUsages: [String: ExtendedKeyUsage.Usage] = [
    "server_auth": .serverAuth, "client_auth": .clientAuth, "code_signing": .codeSigning,
    "email_protection": .emailProtection, "timestamping": .timeStamping,
  ]
}
