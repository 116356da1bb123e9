import Blobs
import Certificates
import Clouds
import Director
import DirectorAPI
import Documents
import Files
import Formats
import Glibc
public import Logging
import Messaging
import PoolsAPI
import Processes
import ServiceLifecycle
public import Surroundings
import Templates
import UnixSignals

/// One whole server: the director on real engines, its faces, and the bus (design section 2).
public struct Server: Sendable {
  public let configuration: ServerConfiguration
  let surroundings: Surroundings
  let logger: Logger

  public init(_ configuration: ServerConfiguration, surroundings: Surroundings, logger: Logger) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
  }

  var files: StateFiles { StateFiles(directory: configuration.stateDirectory) }
  /// The keys that secrets in the documents are sealed with.
  var keyFile: String { configuration.sealKeyFile ?? files.sealKey }

  /// Runs until it is told to stop. VMs and the bus go on without it.
  public func run() async throws {
    try files.prepare()
    let lock = try await files.lock()
    defer { lock.release() }
    try Files.replace(files.pidfile, with: "\(getpid())\n")
    defer { unlink(files.pidfile) }
    try Files.replace(files.name, with: "\(configuration.name)\n")
    let store = try await SealedDocumentStore.open(
      SQLiteDocumentStore.open(files.documents), keyFile: keyFile, surroundings)
    let secrets = try await ServerSecrets.load(from: store, surroundings)
    let authority = CertificateAuthority(
      directory: files.certificates, commonName: "\(configuration.name) CA", surroundings: surroundings)

    // A file of resources with faults ends the server before it has started anything.
    let pools = try await pools(hasErrands: true)
    let cloud = RuncCloud(
      configuration: .init(name: configuration.name, directory: files.cloud), surroundings: surroundings,
      logger: logger.in("cloud"))
    try await cloud.ensureHostEndpoint("\(configuration.endpointAddress)/32")
    try await cloud.recover()

    let host = try await busHost(authority)
    let bus = try await host.connect(
      name: configuration.name, surroundings: surroundings, logger: logger.in("bus"))
    let blobs = try FileBlobStore(folder: files.blobs, surroundings: surroundings)
    let signer = SignedURL(secret: secrets.blobSecret)
    let renderer = RubyRenderer(surroundings: surroundings, logger: logger.in("templates"))
    var engines = DirectorEngines(
      store: store, journals: try FileJournals(folder: files.journals), blobs: blobs,
      blobAddresses: BlobAddresses(
        endpoint: "https://\(configuration.endpointAddress):\(configuration.blobPort)",
        caPEM: try await authority.certificatePEM(), signer: signer, surroundings: surroundings),
      bus: bus, identities: BusIdentities(host: host), cloud: cloud, renderer: renderer,
      leases: leases(pools),
      surroundings: surroundings, logger: logger.in("director"), workDirectory: files.work)
    engines.keptTasks = configuration.keptTasks
    let director = try await Director(
      .init(name: configuration.name, id: secrets.directorID, version: ServerVersion.text), engines)
    // Before anybody can upload anything.
    try await director.removeLeftovers()

    let api = try await apiFace(director, authority)
    let apiHost = configuration.apiAddress == "0.0.0.0" ? "127.0.0.1" : configuration.apiAddress
    try Files.replace(files.address, with: "\(apiHost):\(configuration.apiPort)\n")
    let services = ServiceGroup(
      configuration: .init(
        services: (pools?.services ?? []).map { .init(service: $0) } + [
          .init(service: NATSService(server: host.server, bus: bus)),
          .init(
            service: ListeningService(
              try await blobFace(blobs, signer, authority), "blobs", address: configuration.endpointAddress,
              port: configuration.blobPort)),
          .init(
            service: ListeningService(
              api, "the director's API", address: configuration.apiAddress, port: configuration.apiPort)),
          .init(
            service: DirectorService(
              director: director, renderer: renderer, besides: poolErrands(pools, director))),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await services.run()
    try await pools?.close()
    try await store.close()
  }

  private func busHost(_ authority: CertificateAuthority) async throws -> BusHost {
    guard let cluster = configuration.cluster else {
      return try await .own(
        configuration, files, authority, surroundings: surroundings, logger: logger.in("nats"))
    }
    return try await .cluster(cluster, files, authority, surroundings: surroundings)
  }

  private func apiFace(_ director: Director, _ authority: CertificateAuthority) async throws -> some Service {
    let names = ["localhost"] + configuration.apiNames.filter { !Self.isAddress($0) }
    let addresses =
      ["127.0.0.1", configuration.apiAddress, configuration.endpointAddress]
      + configuration.apiNames.filter(Self.isAddress)
    let identity = try await authority.identity(
      named: "api",
      .directorAPI(dnsNames: names, addresses: Array(Set(addresses.filter { $0 != "0.0.0.0" })).sorted()))
    return try DirectorServer.api(
      director, users: Users(try files.users(configuration.users, surroundings)),
      tls: .init(certificatePEM: identity.certificatePEM, key: identity.key), address: configuration.apiAddress,
      port: configuration.apiPort,
      certificateExpiries: {
        .array(
          try await authority.expiries().map { expiry -> Value in
            [
              "certificate_path": .string(expiry.path), "expiry": .string(expiry.expiry.text),
              "days_left": .int(expiry.daysLeft),
            ]
          })
      }, logger: logger.in("api"))
  }

  private func blobFace(
    _ blobs: any BlobStore, _ signer: SignedURL, _ authority: CertificateAuthority
  ) async throws -> some Service {
    let identity = try await authority.identity(
      named: "blobs", .directorAPI(dnsNames: [], addresses: [configuration.endpointAddress]))
    return try DirectorServer.blobs(
      blobs, signer: signer, tls: .init(certificatePEM: identity.certificatePEM, key: identity.key),
      address: configuration.endpointAddress, port: configuration.blobPort, surroundings: surroundings,
      logger: logger.in("blobs"))
  }

  private static func isAddress(_ name: String) -> Bool {
    name.contains(":") || name.allSatisfy { $0.isNumber || $0 == "." }
  }
}

extension Logger {
  /// This logger for a part of the server.
  func `in`(_ part: String) -> Logger {
    var logger = self
    logger[metadataKey: "part"] = "\(part)"
    return logger
  }
}

/// The version of this server.
public enum ServerVersion {
  public static let text = "0.1.0"
}
