import Crypto
import Formats
import FoundationEssentials
import _CryptoExtras

/// An RSA key as SSH writes it (RFC 4253, 6.6).
struct SSHPublicKey {
  private let bytes: [UInt8]

  init(_ key: _RSA.Signing.PublicKey.Primitives) {
    bytes =
      Self.field(Array("ssh-rsa".utf8)) + Self.number(Array(key.publicExponent)) + Self.number(Array(key.modulus))
  }

  /// As a line of `authorized_keys`, without its end.
  func line(comment: String) -> String {
    "ssh-rsa \(Base64.encode(bytes))" + (comment.isEmpty ? "" : " \(comment)")
  }

  /// SHA-256 in base64, without padding and without `SHA256:` in front.
  var fingerprint: String {
    String(Base64.encode(SHA256.hash(data: bytes)).prefix { $0 != "=" })
  }

  private static func field(_ bytes: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes
  }

  /// A number that is not negative: without zeros in front, but for one where it would look negative.
  private static func number(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array(bytes.drop { $0 == 0 })
    return field(digits.first.map { $0 >= 0x80 } == true ? [0] + digits : digits)
  }
}
