/// Escapes in what a connection test sends and expects: `\r`, `\n`, `\t`, …, `\0xHH`.
enum ControlFileEscapes {
  private static let characters: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
    UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\""): 34, UInt8(ascii: "'"): 39, UInt8(ascii: "?"): 63,
    UInt8(ascii: "\\"): 92,
  ]

  /// A backslash before anything else stands for itself.
  static func bytes(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let next = rest.first else {
        bytes.append(byte)
        continue
      }
      if let meant = characters[next] {
        bytes.append(meant)
        rest = rest.dropFirst()
      } else if rest.starts(with: "0x".utf8), rest.count >= 4,
        let code = UInt8(String(decoding: rest.dropFirst(2).prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(code)
        rest = rest.dropFirst(4)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }
}
