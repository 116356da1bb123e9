public import Formats

/// User and password of HTTP's basic authentication (RFC 7617).
public struct BasicCredentials: Sendable, Hashable {
  public let user: String
  public let password: Secret

  public init(user: String, password: Secret) {
    self.user = user
    self.password = password
  }

  /// What a client says.
  public var header: String { "Basic \(Base64.encode("\(user):\(password.reveal())".utf8))" }

  /// Whether a request carries them. How long that takes says nothing about how much of them was right.
  public func match(_ request: HTTPRequest) -> Bool { match(request.header("Authorization")) }

  /// As whom a request says that it comes, whether or not that is right; empty when it says nothing.
  public static func user(of request: HTTPRequest) -> String {
    let parts = (request.header("Authorization") ?? "").split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic", let given = Base64.decode(String(parts[1])) else {
      return ""
    }
    return String(decoding: given.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
  }

  func match(_ authorization: String?) -> Bool {
    let parts = (authorization ?? "").split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic", let given = Base64.decode(String(parts[1])) else {
      return false
    }
    let wanted = Array("\(user):\(password.reveal())".utf8)
    var difference = wanted.count ^ given.count
    for (index, byte) in given.enumerated() { difference |= Int(byte ^ wanted[index % max(1, wanted.count)]) }
    return difference == 0
  }
}
