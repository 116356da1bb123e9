import Director
import Formats
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
  /// A JSON body.
  static func json(_ value: Value, _ status: HTTPResponse.Status = .ok) -> Response {
    bytes(JSON.bytes(value), "application/json", status)
  }

  static func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
    bytes(Array(text.utf8), "text/plain", status)
  }

  static func bytes(_ bytes: [UInt8], _ type: String, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// The answer to whatever started a task (reference/director.md A.1).
  static func task(_ id: Int) -> Response {
    Response(status: .found, headers: [.location: "/tasks/\(id)"])
  }

  static var noContent: Response { Response(status: .noContent) }

  static func failure(_ failure: DirectorFailure) -> Response {
    .json(
      ["code": .int(failure.number), "description": .string(failure.description)],
      HTTPResponse.Status(code: failure.status))
  }
}

extension Request {
  /// A query parameter; the stock CLI leaves empty ones in. It is read from the query as it was sent: decoded twice, the
  /// `+` of a version would become a blank.
  func query(_ name: String) -> String? {
    for pair in (uri.query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      if parts.count == 2, PercentText.decoded(parts[0], isQuery: true) == name {
        return PercentText.decoded(parts[1], isQuery: true)
      }
    }
    return nil
  }

  func flag(_ name: String) -> Bool { query(name) == "true" }

  func number(_ name: String) throws -> Int? {
    guard let text = query(name) else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw DroverError(.invalid, "query parameter '\(name)': expected a number, found '\(text)'")
    }
    return number
  }

  /// The whole body; for texts and small documents.
  func bodyBytes(upTo limit: Int = 16 << 20) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await var part in body {
      guard bytes.count + part.readableBytes <= limit else {
        throw DroverError(.tooLarge, "request body: longer than \(limit) bytes")
      }
      bytes += part.readBytes(length: part.readableBytes) ?? []
    }
    return bytes
  }

  func bodyText() async throws -> String {
    guard let text = String(validating: try await bodyBytes(), as: UTF8.self) else {
      throw DroverError(.invalid, "request body: not valid UTF-8")
    }
    return text
  }

  func bodyFields() async throws -> FieldReader {
    try FieldReader(JSON.parse(try await bodyBytes()), at: "request body")
  }

  var isJSON: Bool { headers[.contentType]?.hasPrefix("application/json") ?? false }
}
