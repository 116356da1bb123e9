import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

/// A plain HTTP client for tests.
public enum TestHTTP {
  public struct Answer: Sendable {
    public let status: Int
    public let bytes: [UInt8]
    private let headers: HTTPHeaders

    init(status: Int, bytes: [UInt8], headers: HTTPHeaders) {
      self.status = status
      self.bytes = bytes
      self.headers = headers
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
    public func header(_ name: String) -> String? { headers.first(name: name) }
  }

  /// - Parameter caPEM: the authority of an HTTPS server.
  public static func send(
    _ method: String, _ url: String, headers: [String: String] = [:], body: [UInt8]? = nil, caPEM: String? = nil
  ) async throws -> Answer {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let caPEM { tls.trustRoots = try .certificates(NIOSSLCertificate.fromPEMBytes(Array(caPEM.utf8))) }
    let client = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(tlsConfiguration: tls))
    do {
      var request = HTTPClientRequest(url: url)
      request.method = HTTPMethod(rawValue: method)
      for (name, value) in headers { request.headers.add(name: name, value: value) }
      if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
      let response = try await client.execute(request, timeout: .seconds(30))
      let bytes = Array(try await response.body.collect(upTo: 64 << 20).readableBytesView)
      try await client.shutdown()
      return Answer(status: Int(response.status.code), bytes: bytes, headers: response.headers)
    } catch {
      try? await client.shutdown()
      throw error
    }
  }
}
