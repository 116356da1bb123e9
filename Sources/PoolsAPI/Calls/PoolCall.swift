import Formats

/// A request, without the connection that it came on.
struct PoolCall: Sendable {
  var method: String
  /// See ``path(_:)``.
  var path: String
  var query: String = ""
  var authorization: String?
  var userAgent = ""
  /// Reads the body; throws `tooLarge` beyond that many bytes.
  var body: @Sendable (_ limit: Int) async throws -> [UInt8] = { _ in [] }

  /// A path as it was sent, each of its slashes once: a server's address may be known to a client with one at its end.
  static func path(_ sent: String) -> String {
    guard sent.utf8.count > 1 else { return sent }
    var path = ""
    for character in sent where character != "/" || path.last != "/" { path.append(character) }
    return path
  }

  /// Whether its answer may take long because the caller wants to wait for something; such calls read no body.
  var mayWait: Bool {
    ["/acquire", "/events"].contains(path) && query.split(separator: "&").contains { $0.hasPrefix("wait=") }
  }
}

/// An answer.
struct PoolReply: Sendable, Hashable {
  var status: Int
  var body: [UInt8] = []
  var contentType: String?
  var isError = false
  /// In seconds, for those who should ask again.
  var retryAfter: Int?
  /// What a client without credentials is asked for.
  var realm: String?

  static func success(_ body: [UInt8] = [], type: String? = nil) -> PoolReply {
    PoolReply(status: 200, body: body, contentType: type)
  }

  /// As Go's servers write errors.
  static func error(_ status: Int, _ text: String) -> PoolReply {
    PoolReply(
      status: status, body: Array((text + "\n").utf8), contentType: "text/plain; charset=utf-8", isError: true)
  }

  static let plain = "text/plain; charset=utf-8"
  static let json = "application/json"
}
