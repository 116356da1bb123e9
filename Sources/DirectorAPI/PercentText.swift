import Formats
import Hummingbird

/// Text as it stands in addresses (RFC 3986).
enum PercentText {
  /// - Parameter isQuery: whether `+` stands for a blank.
  /// - Returns: nil when it is not valid UTF-8.
  static func decoded(_ text: Substring, isQuery: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(code)
        rest.removeFirst(2)
      } else {
        bytes.append(isQuery && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension DirectorRequestContext {
  /// A name in the request's path, as it was before it was escaped for that.
  func named(_ parameter: String) throws -> String {
    let text = try parameters.require(parameter)
    guard let name = PercentText.decoded(text[...], isQuery: false) else {
      throw DroverError(.invalid, "the request's path: \(parameter) '\(text)': expected UTF-8")
    }
    return name
  }
}
