public import Formats

/// A certificate with its key and the authority that issued it, as PEM texts: what a peer needs to show who it is.
public struct Identity: Sendable, Hashable {
  public var certificatePEM: String
  public var key: Secret
  public var caPEM: String

  public init(certificatePEM: String, key: Secret, caPEM: String) {
    self.certificatePEM = certificatePEM
    self.key = key
    self.caPEM = caPEM
  }
}

/// What a key is made of.
public enum KeyKind: String, Sendable, Hashable, Codable {
  /// Quick to make; what agents have (design D2).
  case p256
  /// What the director API needs: the stock bosh CLI offers only RSA on TLS 1.2 (`reference/director.md A.1`).
  case rsa2048
  case rsa3072
  case rsa4096
}
