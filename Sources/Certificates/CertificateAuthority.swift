import Files
import Formats
import FoundationEssentials
public import Surroundings
import SwiftASN1
import X509

/// The authority that vouches for the parts of one server: made at first use, kept in a directory.
///
/// Files are written aside, synced and moved into place, so that a process that dies on the way leaves nothing half
/// made: a key without its certificate is used at the next try, an identity whose key and certificate don't belong
/// together is issued again. Only an authority's certificate without its key is an error, since others trust it.
public actor CertificateAuthority {
  private let directory: String
  private let commonName: String
  private let keyKind: KeyKind
  private let surroundings: Surroundings
  /// The authority's own files, and whether they are somebody else's: those are never made.
  private let files: (certificate: String, key: String)
  private let isGiven: Bool
  private var loaded: Issuer?

  /// How long before its end a kept identity is replaced.
  public static let renewal: Duration = .seconds(30 * 86400)
  private static let validity: Duration = .seconds(10 * 365 * 86400)

  /// - Parameters:
  ///   - directory: holds `ca.crt` (0644) and `ca.key` (0600); made if missing.
  ///   - commonName: the authority's name, for instance `Drover CA`.
  public init(
    directory: String, commonName: String = "Drover CA", keyKind: KeyKind = .p256, surroundings: Surroundings = .system
  ) {
    self.directory = directory
    self.commonName = commonName
    self.keyKind = keyKind
    self.surroundings = surroundings
    files = ("\(directory)/ca.crt", "\(directory)/ca.key")
    isGiven = false
  }

  /// An authority that somebody else has made and given to us.
  ///
  /// - Parameters:
  ///   - certificate: the path of its certificate, PEM, first in its file.
  ///   - key: the path of its key, PEM.
  ///   - directory: holds the identities that are kept.
  public init(certificate: String, key: String, directory: String, surroundings: Surroundings = .system) {
    self.directory = directory
    self.surroundings = surroundings
    commonName = ""
    keyKind = .p256
    files = (certificate, key)
    isGiven = true
  }

  /// The authority's certificate. Makes the authority if it is not there yet.
  public func certificatePEM() throws -> String { try authority().pem }

  /// Issues a new certificate with a new key; nothing is stored.
  public func issue(_ subject: CertificateSubject) throws -> Identity {
    let authority = try authority()
    let key = try SigningKey(subject.keyKind)
    let certificate = try subject.draft().signed(key, by: authority, surroundings)
    return Identity(certificatePEM: try certificate.pem(), key: try key.pem(), caPEM: authority.pem)
  }

  /// The identity kept as `<directory>/<name>.crt` and `.key`; issued and stored if it is missing, damaged, from
  /// another authority, made for something else, or within `renewal` of its end.
  public func identity(named name: String, _ subject: CertificateSubject) throws -> Identity {
    let letters = name.utf8.allSatisfy { Self.isNameByte($0) }
    guard letters, !name.isEmpty, name != "ca", !name.hasPrefix(".") else {
      throw DroverError(
        .invalid, "certificate name \(name.debugDescription): must be letters, digits, \"-\", \"_\", \".\", and not ca")
    }
    if let kept = try kept(name, subject) { return kept }
    let identity = try issue(subject)
    try Files.replace("\(directory)/\(name).key", with: identity.key.reveal(), mode: 0o600)
    try Files.replace("\(directory)/\(name).crt", with: identity.certificatePEM, mode: 0o644)
    return identity
  }

  /// All certificates kept in the directory with their ends (`GET /director/certificate_expiry`).
  public func expiries() throws -> [CertificateExpiry] {
    let now = surroundings.now()
    return try Files.names(in: directory).filter { $0.hasSuffix(".crt") }.compactMap { name in
      let path = "\(directory)/\(name)"
      guard let text = try Files.text(path) else { return nil }
      return try CertificateExpiry(path: path, pem: text, now: now)
    }
  }

  // MARK: - The authority itself

  private func authority() throws -> Issuer {
    if let loaded { return loaded }
    try Files.makeFolder(directory, mode: 0o755)
    let authority = try keptAuthority() ?? makeAuthority()
    loaded = authority
    return authority
  }

  private func keptAuthority() throws -> Issuer? {
    let advice = isGiven ? "give both, PEM" : "restore it and its key, or remove both for a new authority"
    guard let text = try Files.text(files.certificate) else {
      guard isGiven else { return nil }
      throw DroverError(.notFound, "reading the authority \(files.certificate): there is no such file")
    }
    guard let keyText = try Files.text(files.key) else {
      throw DroverError(
        .corrupt, "reading the authority \(files.certificate): its key \(files.key) is missing; \(advice)")
    }
    do {
      return try Issuer(pem: text, key: keyText)
    } catch {
      throw DroverError(
        .corrupt, "reading the authority \(files.certificate) with the key \(files.key): \(advice)", cause: error)
    }
  }

  private func makeAuthority() throws -> Issuer {
    let left = try Files.text(files.key).flatMap { try? SigningKey(pem: Secret($0)) }
    let key = try left ?? SigningKey(keyKind)
    if left == nil { try Files.replace(files.key, with: key.pem().reveal(), mode: 0o600) }
    let draft = CertificateDraft(
      subject: try CertificateSubject.distinguishedName(commonName),
      constraints: .isCertificateAuthority(maxPathLength: 0), keyUsage: KeyUsage(keyCertSign: true, cRLSign: true),
      validity: Self.validity)
    let certificate = try draft.signed(key, by: nil, surroundings)
    let text = try certificate.pem()
    try Files.replace(files.certificate, with: text, mode: 0o644)
    return Issuer(key: key.key, certificate: certificate, pem: text)
  }

  // MARK: - Kept identities

  /// What is kept under a name, if it can still be used for the subject.
  private func kept(_ name: String, _ subject: CertificateSubject) throws -> Identity? {
    let authority = try authority()
    guard let text = try Files.text("\(directory)/\(name).crt"),
      let keyText = try Files.text("\(directory)/\(name).key"),
      let certificate = try? Certificate(pemEncoded: text),
      let key = try? SigningKey(pem: Secret(keyText)),
      key.key.publicKey == certificate.publicKey, key.isKind(subject.keyKind),
      authority.certificate.publicKey.isValidSignature(certificate.signature, for: certificate),
      try subject.isFulfilled(by: certificate),
      CertificateDraft.date(surroundings.now() + Self.renewal) < certificate.notValidAfter
    else { return nil }
    return Identity(certificatePEM: text, key: Secret(keyText), caPEM: authority.pem)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
