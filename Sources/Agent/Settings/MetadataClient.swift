import AsyncHTTPClient
import Formats
import HTTPService
import NIOCore
import NIOHTTP1
import NIOSSL
import Surroundings

/// Asks metadata services and registries. They may not be there yet when a machine starts, so it asks again.
struct MetadataClient: Sendable {
  let surroundings: Surroundings
  /// How often it asks, with ``pause`` in between.
  var tries = 10
  static let pause: Duration = .seconds(1)
  static let limit = 16 << 20

  private struct Refusal: Error {
    let error: DroverError
  }

  /// The body of an answer.
  ///
  /// - Parameter mayBeAbsent: whether 404 is an answer, which is nil then.
  /// - Throws: `DroverError`, without what is secret in the URL.
  func get(_ url: String, _ headers: [String: String] = [:], mayBeAbsent: Bool = false) async throws -> [UInt8]? {
    try await trying("asking \(Self.shown(url))") { client in
      var request = HTTPClientRequest(url: url)
      for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
      let response = try await client.execute(request, timeout: .seconds(20))
      switch response.status.code {
      case 200..<300: return Array(try await response.body.collect(upTo: Self.limit).readableBytesView)
      case 404 where mayBeAbsent: return nil
      case 401, 403: throw Refusal(error: DroverError(.forbidden, "the server answered \(response.status)"))
      case 404: throw DroverError(.notFound, "the server answered \(response.status)")
      default: throw DroverError(.unavailable, "the server answered \(response.status)")
      }
    }
  }

  /// The token that a service of the second kind wants with every request; nil when it gives none.
  func token(_ url: String) async -> String? {
    var single = self
    single.tries = min(tries, 2)
    let answer: String?? = try? await single.trying("asking \(Self.shown(url)) for a token") { client in
      var request = HTTPClientRequest(url: url)
      request.method = .PUT
      request.headers.add(name: "X-aws-ec2-metadata-token-ttl-seconds", value: "300")
      let response = try await client.execute(request, timeout: .seconds(5))
      guard response.status == .ok else { return nil }
      return String(buffer: try await response.body.collect(upTo: 64 << 10))
    }
    guard let token = answer ?? nil, !token.isEmpty else { return nil }
    return token
  }

  private func trying<Result: Sendable>(
    _ doing: String, _ attempt: (HTTPClient) async throws -> Result
  ) async throws -> Result {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .default
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
    configuration.timeout = .init(connect: .seconds(5), read: .seconds(10))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let result = try await trying(doing, client, attempt)
      try await client.shutdown()
      return result
    } catch {
      try? await client.shutdown()
      throw error
    }
  }

  private func trying<Result: Sendable>(
    _ doing: String, _ client: HTTPClient, _ attempt: (HTTPClient) async throws -> Result
  ) async throws -> Result {
    var tried = 1
    while true {
      do {
        return try await attempt(client)
      } catch let refusal as Refusal {
        throw DroverError(refusal.error.code, doing, cause: refusal.error)
      } catch {
        try Task.checkCancellation()
        guard tried < tries else {
          let code = (error as? DroverError)?.code ?? .unavailable
          throw DroverError(code, tried == 1 ? doing : "\(doing), tried \(tried) times", cause: error)
        }
        tried += 1
        try await surroundings.sleep(Self.pause)
      }
    }
  }

  /// Without user, password and query.
  private static func shown(_ url: String) -> String {
    let plain = String(url.prefix { $0 != "?" })
    return (try? EndpointURL(plain).description) ?? "a URL that cannot be read"
  }
}
