import Formats

/// `http://[user:password@]host[:port][/path]`, also with https: where a service is, and who may use it.
public struct EndpointURL: Sendable, Hashable, CustomStringConvertible {
  public var isTLS: Bool
  public var credentials: BasicCredentials?
  /// Without the brackets of an IPv6 address.
  public var host: String
  /// Nil when none is given.
  public var port: Int?
  /// Empty, or beginning with a slash and not ending with one.
  public var path: String

  /// Without user and password.
  public var description: String {
    let place = host.contains(":") ? "[\(host)]" : host
    return "\(isTLS ? "https" : "http")://\(place)\(port.map { ":\($0)" } ?? "")\(path)"
  }

  /// - Throws: ``DroverError`` with code `invalid`, without the password.
  public init(_ text: String) throws {
    func refuse(_ reason: String) -> DroverError {
      let shown = text.lastIndex(of: "@").map { "…" + text[$0...] } ?? text
      return DroverError(
        .invalid, "URL \(shown.debugDescription): \(reason); expected http[s]://[user:password@]host[:port][/path]")
    }
    guard let end = text.firstRange(of: "://") else { throw refuse("there is no scheme") }
    switch text[..<end.lowerBound].lowercased() {
    case "http": isTLS = false
    case "https": isTLS = true
    default: throw refuse("the scheme is not http or https")
    }
    let rest = text[end.upperBound...]
    // A password may hold a slash only in its encoded form, as every client has it.
    let slash = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    var path = rest[slash...]
    while path.last == "/" { path = path.dropLast() }
    self.path = String(path)
    var authority = rest[..<slash]
    if let at = authority.lastIndex(of: "@") {
      let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let user = Self.decoded(parts[0]), let password = Self.decoded(parts.count == 2 ? parts[1] : "") else {
        throw refuse("user or password hold a \"%\" without two hex digits")
      }
      credentials = BasicCredentials(user: user, password: Secret(password))
      authority = authority[authority.index(after: at)...]
    }
    var portText: Substring?
    if authority.first == "[", let close = authority.firstIndex(of: "]") {
      host = String(authority[authority.index(after: authority.startIndex)..<close])
      let after = authority[authority.index(after: close)...]
      guard after.isEmpty || after.first == ":" else { throw refuse("there is text after the bracket") }
      if !after.isEmpty { portText = after.dropFirst() }
    } else if let colon = authority.firstIndex(of: ":") {
      host = String(authority[..<colon])
      portText = authority[authority.index(after: colon)...]
    } else {
      host = String(authority)
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw refuse("there is no host") }
    if let portText {
      guard let number = Int(portText), (1...65535).contains(number) else {
        throw refuse("the port is not a number from 1 to 65535")
      }
      port = number
    }
  }

  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, let decoded = UInt8(digits, radix: 16) else { return nil }
      bytes.append(decoded)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
