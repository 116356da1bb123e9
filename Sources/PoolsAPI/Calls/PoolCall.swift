import Formats

/// A request, without the connection that it came on.
struct PoolCall: Sendable {
  var method: String
  /// As it was sent.
  var path: String
  var query: String = ""
  var authorization: String?
  var userAgent = ""
  /// Reads the body; throws `tooLarge` beyond that many bytes.
  var body: @Sendable (_ limit: Int) async throws -> [UInt8] = { _ in [] }

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
