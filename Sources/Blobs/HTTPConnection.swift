import AsyncHTTPClient
import Formats
import NIOCore
import NIOHTTP1
import NIOSSL

/// Requests of one client, which trusts the servers that one set of certificates vouches for.
struct HTTPConnection: Sendable {
  typealias Body = AsyncThrowingMapSequence<HTTPClientResponse.Body, [UInt8]>

  private let client: HTTPClient

  init(caPEM: String?) throws {
    var configuration = HTTPClient.Configuration()
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .default
    if let caPEM {
      do {
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(caPEM.utf8)))
      } catch {
        throw DroverError(.invalid, "reading the certificates of the blobstore's authority", cause: error)
      }
    }
    configuration.tlsConfiguration = tls
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(60), write: .seconds(60))
    // A connection that fails is reported at once: BlobTransfer itself tries again, after a pause.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// The body of the answer to a GET, once its status is a good one.
  func get(_ url: String, headers: [String: String], limit: Int64?) async throws -> Body {
    let response = try await send(request(url, .GET, headers))
    if let limit, let length = response.headers.first(name: "content-length").flatMap(Int64.init), length > limit {
      throw DroverError(.tooLarge, "the server has \(length) bytes, \(limit) are allowed")
    }
    // Throwing, so that what the network does in the middle of a body is told apart from what the disk does.
    return response.body.map { buffer throws in Array(buffer.readableBytesView) }
  }

  func put<Bytes: AsyncSequence & Sendable>(_ url: String, headers: [String: String], body: Bytes, size: Int64)
    async throws where Bytes.Element == ByteBuffer
  {
    var request = request(url, .PUT, headers)
    request.body = .stream(body, length: .known(size))
    _ = try await send(request)
  }

  func shutdown() async throws { try await client.shutdown() }

  private func request(_ url: String, _ method: HTTPMethod, _ headers: [String: String]) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url)
    request.method = method
    request.headers.add(name: "Accept", value: "*/*")
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    return request
  }

  private func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
    let response = try await client.execute(request, deadline: .distantFuture)
    let status = response.status
    switch status.code {
    case 200..<300: return response
    case 404, 410: throw DroverError(.notFound, "the server answered \(status)")
    case 401, 403: throw DroverError(.forbidden, "the server answered \(status)")
    case 413: throw DroverError(.tooLarge, "the server answered \(status)")
    case 408, 425, 429, 500...: throw DroverError(.unavailable, "the server answered \(status)")
    default: throw DroverError(.failed, "the server answered \(status)")
    }
  }
}
