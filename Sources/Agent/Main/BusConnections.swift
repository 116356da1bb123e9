import AgentProtocol
import Formats
import Logging
import Messaging
import Surroundings

/// The agent's two connections to NATS: one for requests and answers, one for what scripts print (design D13).
struct BusConnections: Sendable {
  let control: NATSConnection
  let output: NATSConnection

  /// - Throws: when the settings name no bus, one of an unknown kind, or certificates that cannot be used.
  init(_ settings: EffectiveSettings, surroundings: Surroundings, logger: Logger) throws {
    let urls = settings.busURLs
    guard let first = urls.first else { throw DroverError(.notFound, "the settings name no message bus (mbus)") }
    guard first.hasPrefix("nats://") || first.hasPrefix("tls://") else {
      let scheme = first.split(separator: ":").first.map(String.init) ?? first
      throw DroverError(.unsupported, "mbus: '\(scheme)' is not supported by this agent; expected nats://host:port")
    }
    var tls: NATSTLS?
    if let certificate = settings.busCertificate, !certificate.ca.isEmpty {
      tls = NATSTLS(
        certificatePEM: certificate.certificate.isEmpty ? nil : certificate.certificate,
        key: certificate.privateKey.isEmpty ? nil : Secret(certificate.privateKey), caPEM: certificate.ca)
    }
    func connection(_ purpose: String) throws -> NATSConnection {
      try NATSConnection(
        NATSConfiguration(urls: urls, tls: tls, name: "agent \(settings.agentID) \(purpose)"),
        surroundings: surroundings, logger: logger)
    }
    control = try connection("control")
    output = try connection("output")
  }

  func start() async {
    await control.start()
    await output.start()
  }

  /// Sends what is still to be sent, then closes.
  func close() async {
    await control.drain()
    await output.drain()
  }
}
