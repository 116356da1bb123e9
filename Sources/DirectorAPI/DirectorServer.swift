public import Blobs
public import Director
public import Formats
public import Hummingbird
import HummingbirdTLS
public import Logging
import NIOSSL
public import Surroundings

/// The director's HTTP faces: the API for people, and the blobs for agents.
public enum DirectorServer {
  /// A certificate with its key, PEM.
  public struct TLS: Sendable {
    public var certificatePEM: String
    public var key: Secret

    public init(certificatePEM: String, key: Secret) {
      self.certificatePEM = certificatePEM
      self.key = key
    }

    var configuration: TLSConfiguration {
      get throws {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificatePEM.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(self.key.reveal().utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
          certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
      }
    }
  }

  /// The director's API (reference/director.md A).
  ///
  /// - Parameter certificateExpiries: answers `GET /director/certificate_expiry`.
  public static func api(
    _ director: Director, users: Users, tls: TLS, address: String, port: Int,
    certificateExpiries: @escaping @Sendable () async throws -> Value, logger: Logger
  ) throws -> some ApplicationProtocol {
    return Application(
      router: router(director, users: users, certificateExpiries: certificateExpiries),
      server: try .tls(.http1(), tlsConfiguration: try tls.configuration),
      configuration: .init(address: .hostname(address, port: port), serverName: "drover"), logger: logger)
  }

  /// All routes of the API, without a server around them.
  static func router(
    _ director: Director, users: Users, certificateExpiries: @escaping @Sendable () async throws -> Value
  ) -> Router<DirectorRequestContext> {
    let router = Router(context: DirectorRequestContext.self)
    router.add(middleware: ErrorMiddleware())
    router.add(middleware: Authentication(users: users))
    InfoRoutes(director: director, certificateExpiries: certificateExpiries).add(to: router)
    TaskRoutes(director: director).add(to: router)
    ArtifactRoutes(director: director).add(to: router)
    ConfigRoutes(director: director).add(to: router)
    BlobConsoleRoutes(director: director).add(to: router)
    DeploymentRoutes(director: director).add(to: router)
    VariableRoutes(director: director).add(to: router)
    ScheduleRoutes(director: director).add(to: router)
    DiskRoutes(director: director).add(to: router)
    AccessRoutes(director: director).add(to: router)
    return router
  }

  /// Blobs by signed addresses (reference/director.md F.3).
  public static func blobs(
    _ blobs: any BlobStore, signer: SignedURL, tls: TLS, address: String, port: Int, surroundings: Surroundings,
    logger: Logger
  ) throws -> some ApplicationProtocol {
    let router = Router(context: BasicRequestContext.self)
    router.add(middleware: ErrorMiddleware())
    BlobRoutes(blobs: blobs, signer: signer, surroundings: surroundings).add(to: router)
    return Application(
      router: router, server: try .tls(.http1(), tlsConfiguration: try tls.configuration),
      configuration: .init(address: .hostname(address, port: port), serverName: "drover"), logger: logger)
  }
}
