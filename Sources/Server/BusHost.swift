import Certificates
import Files
import Formats
import Logging
import Messaging
import Processes
import Surroundings

/// The bus that a server stands on: the nats-server that it runs itself, or a cluster that others run (design D2).
struct BusHost: Sendable {
  /// As the director and the agents reach it.
  let urls: [String]
  /// The authority that has issued the servers' certificates.
  let caPEM: String
  /// The director's certificate and key.
  let director: Identity
  /// Issues agents' identities.
  let issuer: CertificateAuthority
  /// Where agents are allowed; nil when that is nothing of ours.
  let agents: (any NATSAgents)?
  /// The process that we keep running; nil when others do.
  let server: NATSServer?

  /// A nats-server of our own, at the server's endpoint. Starts it, or takes over the one that runs.
  static func own(
    _ configuration: ServerConfiguration, _ files: StateFiles, _ authority: CertificateAuthority,
    surroundings: Surroundings, logger: Logger
  ) async throws -> BusHost {
    let identity = try await authority.identity(
      named: "nats", .natsServer(addresses: [configuration.endpointAddress]))
    var bus = NATSServer.Configuration(
      directory: files.nats, address: configuration.endpointAddress, port: configuration.natsPort,
      certificatePEM: identity.certificatePEM, key: identity.key, caPEM: identity.caPEM)
    bus.logSize = configuration.logSize
    bus.logKeep = configuration.logKeep
    let server = NATSServer(
      configuration: bus,
      surroundings: surroundings, logger: logger)
    try await server.start()
    return BusHost(
      urls: [server.url], caPEM: identity.caPEM, director: try await authority.identity(named: "director", .director),
      issuer: authority, agents: server, server: server)
  }

  /// A cluster of others. Writes who may use it, as far as that is ours, and has the cluster read it.
  static func cluster(
    _ cluster: ClusterConfiguration, _ files: StateFiles, _ authority: CertificateAuthority, surroundings: Surroundings
  ) async throws -> BusHost {
    let issuer =
      cluster.issuer.map {
        CertificateAuthority(
          certificate: $0.certificate, key: $0.key, directory: files.certificates, surroundings: surroundings)
      } ?? authority
    let own = try await authority.certificatePEM()
    let caPEM = try cluster.ca.map { try pem($0, "nats.ca") } ?? own
    let director: Identity
    if let paths = cluster.director {
      director = Identity(
        certificatePEM: try pem(paths.certificate, "nats.certificate"), key: Secret(try pem(paths.key, "nats.key")),
        caPEM: caPEM)
    } else {
      director = try await naming("nats.issuer") { try await issuer.identity(named: "director", .director) }
    }
    _ = try await naming("nats.issuer") { try await issuer.certificatePEM() }
    var agents: NATSAuthorizationFile?
    if let path = cluster.authorizationFile {
      let file = NATSAuthorizationFile(path: path, surroundings: surroundings) {
        guard let command = cluster.reloadCommand else { return }
        try await reload(command, path)
      }
      try await file.start()
      agents = file
    }
    return BusHost(
      urls: cluster.urls, caPEM: caPEM, director: director, issuer: issuer, agents: agents, server: nil)
  }

  /// The director's connection, once it stands.
  func connect(
    name: String, within patience: Duration = .seconds(30), surroundings: Surroundings, logger: Logger
  ) async throws -> NATSConnection {
    let connection: NATSConnection
    do {
      connection = try NATSConnection(
        NATSConfiguration(
          urls: urls,
          tls: NATSTLS(certificatePEM: director.certificatePEM, key: director.key, caPEM: caPEM), name: name),
        surroundings: surroundings, logger: logger)
      await connection.start()
    } catch {
      throw DroverError(.invalid, "configuration nats: no connection can be made with it", cause: error)
    }
    do { try await connection.waitUntilConnected(patience) } catch {
      await connection.close()
      throw error
    }
    return connection
  }

  /// Has the cluster read the file. What the command says, on either output, is in the error.
  private static func reload(_ line: String, _ path: String) async throws {
    var command = Command("/bin/sh", "-c", line)
    command.timeout = .seconds(60)
    let doing = "running nats.reload_command '\(line)' after a change of \(path)"
    let result: CommandResult
    do { result = try await command.result() } catch {
      throw DroverError(.failed, doing, cause: error)
    }
    guard !result.succeeded else { return }
    let said = (result.text + "\n" + String(decoding: result.errors, as: UTF8.self))
      .split(whereSeparator: \.isNewline).suffix(10).joined(separator: "; ")
    throw DroverError(.failed, "\(doing): it \(result.ending)\(said.isEmpty ? ", and said nothing" : ": \(said)")")
  }

  private static func pem(_ path: String, _ key: String) throws -> String {
    do {
      if let text = try Files.text(path) { return text }
    } catch {
      throw DroverError(.invalid, "configuration \(key): reading \(path)", cause: error)
    }
    throw DroverError(.invalid, "configuration \(key): reading \(path): No such file or directory")
  }

  private static func naming<Result: Sendable>(
    _ key: String, _ body: () async throws -> Result
  ) async throws -> Result {
    do { return try await body() } catch {
      throw DroverError(.invalid, "configuration \(key)", cause: error)
    }
  }
}
