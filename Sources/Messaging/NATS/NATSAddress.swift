import Formats

/// A server that a client may try, from a URL of the configuration or from another server's INFO.
struct NATSAddress: Sendable, Hashable, CustomStringConvertible {
  static let defaultPort = 4222

  var host: String
  var port: Int
  var user: String?
  var password: Secret?
  /// The URL begins with `tls://`: plain TCP must not be used.
  var demandsTLS = false

  /// `host:port`, without user and password.
  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether two addresses lead to the same server.
  func isSamePlace(_ other: NATSAddress) -> Bool { host == other.host && port == other.port }

  /// Reads `[nats://|tls://][user[:password]@]host[:port]`; an IPv6 address is in brackets.
  init(_ url: String) throws(DroverError) {
    func refuse(_ reason: String) -> DroverError {
      let shown = url.lastIndex(of: "@").map { "…" + url[$0...] } ?? url
      return DroverError(
        .invalid, "NATS URL \(shown.debugDescription): \(reason); it must be nats://[user:password@]host[:port]")
    }
    var rest = url[...]
    if let end = rest.firstRange(of: "://") {
      let scheme = rest[..<end.lowerBound].lowercased()
      guard scheme == "nats" || scheme == "tls" else { throw refuse("the scheme is \(scheme.debugDescription)") }
      demandsTLS = scheme == "tls"
      rest = rest[end.upperBound...]
    }
    while rest.last == "/" { rest = rest.dropLast() }
    if let at = rest.lastIndex(of: "@") {
      let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      user = try Self.percentDecoded(parts[0], refuse)
      if parts.count == 2 { password = Secret(try Self.percentDecoded(parts[1], refuse)) }
      rest = rest[rest.index(after: at)...]
    }
    var portText: Substring?
    if rest.first == "[", let close = rest.firstIndex(of: "]") {
      host = String(rest[rest.index(after: rest.startIndex)..<close])
      let after = rest[rest.index(after: close)...]
      guard after.isEmpty || after.first == ":" else { throw refuse("there is text after the bracket") }
      portText = after.isEmpty ? nil : after.dropFirst()
    } else if let colon = rest.firstIndex(of: ":") {
      host = String(rest[..<colon])
      portText = rest[rest.index(after: colon)...]
    } else {
      host = String(rest)
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
      throw refuse("the host is missing or holds characters that are not allowed")
    }
    port = Self.defaultPort
    if let portText {
      guard let number = Int(portText), (1...65535).contains(number) else {
        throw refuse("the port is not a number from 1 to 65535")
      }
      port = number
    }
  }

  private static func percentDecoded(
    _ text: Substring, _ refuse: (String) -> DroverError
  ) throws(DroverError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, let decoded = UInt8(digits, radix: 16) else {
        throw refuse("user or password hold a \"%\" without two hex digits")
      }
      bytes.append(decoded)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
