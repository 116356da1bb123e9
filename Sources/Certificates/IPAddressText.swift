import Glibc
import SwiftASN1
import X509

/// Addresses in text form as a certificate holds them.
enum IPAddressText {
  /// The address as an alternative name, or nil if the text is no address.
  static func generalName(_ text: String) -> GeneralName? {
    bytes(text).map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
  }

  /// 4 or 16 bytes, or nil if the text is no address.
  private static func bytes(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if bytes.withUnsafeMutableBytes({ inet_pton(AF_INET, text, $0.baseAddress) }) == 1 { return Array(bytes[..<4]) }
    return bytes.withUnsafeMutableBytes { inet_pton(AF_INET6, text, $0.baseAddress) } == 1 ? bytes : nil
  }
}
