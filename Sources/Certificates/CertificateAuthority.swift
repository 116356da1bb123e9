import Formats
public import Surroundings

/// The authority that vouches for the parts of one server: made at first use, kept in a directory.
public actor CertificateAuthority {
  /// - Parameters:
  ///   - directory: holds `ca.crt` (0644) and `ca.key` (0600); made if missing.
  ///   - commonName: the authority's name, for instance `drover ca`.
  public init(
    directory: String, commonName: String = "Drover CA", keyKind: KeyKind = .p256, surroundings: Surroundings = .system
  ) {
  }

  /// The authority's certificate. Makes the authority if it is not there yet.
  public func certificatePEM() throws -> String { throw DroverError(.unsupported, "not here yet") }

  /// Issues a new certificate with a new key; nothing is stored.
  public func issue(_ subject: CertificateSubject) throws -> Identity {
    throw DroverError(.unsupported, "not here yet")
  }

  /// The identity kept as `<directory>/<name>.crt` and `.key`; issued and stored if it is missing, damaged, from
  /// another authority, made for something else, or within 30 days of its end.
  public func identity(named name: String, _ subject: CertificateSubject) throws -> Identity {
    throw DroverError(.unsupported, "not here yet")
  }

  /// All certificates kept in the directory with their ends (`GET /director/certificate_expiry`).
  public func expiries() throws -> [CertificateExpiry] { [] }
}

/// When a certificate ends.
public struct CertificateExpiry: Sendable, Hashable {
  public var path: String
  public var expiry: Timestamp
  /// Whole days until then, negative afterwards.
  public var daysLeft: Int

  public init(path: String, expiry: Timestamp, daysLeft: Int) {
    self.path = path
    self.expiry = expiry
    self.daysLeft = daysLeft
  }
}
