import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Processes

/// One question for the health of a service: 200 is healthy, whatever else comes is not.
struct HealthQuestion: Sendable {
  let environment: [String: String]

  func isHealthy(_ url: String, within limit: Duration) async -> Bool {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = environment["SSL_CERT_FILE"].map { .file($0) } ?? .default
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .follow(max: 10, allowCycles: true))
    // A question that cannot be asked is answered with no; when the next one is due, the poll says.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.proxy = ProxyChoice.proxy(for: url, environment: environment).map {
      .server(host: $0.host, port: $0.port)
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let response = try? await client.execute(HTTPClientRequest(url: url), timeout: TimeAmount(limit))
    let isHealthy = response?.status.code == 200
    try? await client.shutdown()
    return isHealthy
  }
}
