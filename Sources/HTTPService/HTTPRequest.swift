import NIOCore
import NIOHTTP1

/// The head of a request.
public struct HTTPRequest: Sendable {
  /// `GET`, `POST`, …
  public let method: String
  /// The path as it was sent, without its query and not decoded.
  public let path: String
  /// The path with its query, both as they were sent.
  public let target: String
  /// From where it came; empty and 0 where that cannot be told.
  public let peer: (address: String, port: Int)
  private let headers: HTTPHeaders

  init(_ head: HTTPRequestHead, peer: SocketAddress? = nil) {
    self.peer = (peer?.ipAddress ?? "", peer?.port ?? 0)
    method = head.method.rawValue
    target = head.uri
    path = String(head.uri.prefix { $0 != "?" })
    headers = head.headers
  }

  /// The first field of that name, whatever its case.
  public func header(_ name: String) -> String? { headers.first(name: name) }
}
