import Glibc

/// Addresses in text form as the bytes that a certificate holds.
enum IPAddressText {
  /// 4 or 16 bytes, or nil if the text is no address.
  static func bytes(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if bytes.withUnsafeMutableBytes({ inet_pton(AF_INET, text, $0.baseAddress) }) == 1 { return Array(bytes[..<4]) }
    return bytes.withUnsafeMutableBytes { inet_pton(AF_INET6, text, $0.baseAddress) } == 1 ? bytes : nil
  }
}
