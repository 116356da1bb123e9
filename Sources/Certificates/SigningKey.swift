import Crypto
import Formats
import SwiftASN1
import X509
import _CryptoExtras

/// A private key of one of our kinds.
struct SigningKey {
  let key: Certificate.PrivateKey

  /// Makes a new one; an RSA key may take a second, or some.
  init(_ kind: KeyKind) throws {
    switch kind {
    case .p256: key = .init(P256.Signing.PrivateKey())
    case .rsa2048: key = .init(try _RSA.Signing.PrivateKey(keySize: .bits2048))
    case .rsa3072: key = .init(try _RSA.Signing.PrivateKey(keySize: .bits3072))
    case .rsa4096: key = .init(try _RSA.Signing.PrivateKey(keySize: .bits4096))
    }
  }

  init(pem: Secret) throws { key = try .init(pemEncoded: pem.reveal()) }

  func pem() throws -> Secret { Secret(try key.serializeAsPEM().pemString + "\n") }

  func isKind(_ kind: KeyKind) -> Bool {
    if P256.Signing.PublicKey(key.publicKey) != nil { return kind == .p256 }
    return switch _RSA.Signing.PublicKey(key.publicKey)?.keySizeInBits {
    case 2048: kind == .rsa2048
    case 3072: kind == .rsa3072
    case 4096: kind == .rsa4096
    default: false
    }
  }
}
