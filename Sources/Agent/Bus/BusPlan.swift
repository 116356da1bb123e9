import AgentProtocol
import Formats
import HTTPService
import Logging
import Messaging
import Surroundings

/// Which bus the settings ask for (reference/agent.md 6, slide 13). The scheme of the first URL decides.
enum BusPlan: Sendable {
  /// One cluster; without TLS when `tls` is nil.
  case nats(urls: [String], tls: NATSTLS?)
  /// No bus: the agent itself is asked, by whoever creates a first machine.
  case https(EndpointURL, HTTPService.TLS)

  /// - Parameter requiresTLS: what agent.json says about a bus without TLS.
  /// - Throws: `DroverError` with code `notFound`, `invalid`, `unsupported` or `forbidden`, naming the setting.
  init(_ settings: EffectiveSettings, requiresTLS: Bool) throws {
    let urls = settings.busURLs
    guard let first = urls.first else { throw DroverError(.notFound, "the settings name no message bus (mbus)") }
    switch Self.scheme(first) {
    case "nats", "tls": self = try Self.nats(urls, settings.busCertificate, requiresTLS)
    case "https":
      let url = try EndpointURL(first)
      guard url.credentials != nil else {
        throw DroverError(.invalid, "mbus: \(url) names no user; expected https://user:password@host:port")
      }
      guard let certificate = settings.busCertificate, !certificate.certificate.isEmpty,
        !certificate.privateKey.isEmpty
      else {
        throw DroverError(
          .notFound, "env.bosh.mbus.cert: certificate or private_key missing; the agent needs them to serve \(url)")
      }
      self = .https(
        url, HTTPService.TLS(certificatePEM: certificate.certificate, key: Secret(certificate.privateKey)))
    case let scheme:
      throw DroverError(
        .unsupported,
        "mbus: '\(scheme)' is no bus of this agent; expected nats://host:port or https://user:password@host:port")
    }
  }

  private static func nats(
    _ urls: [String], _ certificate: BusSettings.Certificate?, _ requiresTLS: Bool
  ) throws -> BusPlan {
    if let other = urls.first(where: { !["nats", "tls"].contains(scheme($0)) }) {
      throw DroverError(.invalid, "mbus: all URLs must be of one cluster; found also '\(Redaction.text(other))'")
    }
    let parts = [certificate?.ca, certificate?.certificate, certificate?.privateKey].map { $0 ?? "" }
    guard parts.contains(where: { !$0.isEmpty }) else {
      // As on slide 13: nothing in the settings speaks of TLS.
      if requiresTLS {
        throw DroverError(
          .forbidden,
          "mbus: the settings have no certificates, and agent.json allows no bus without TLS (RequireBusTLS)")
      }
      if urls.contains(where: { scheme($0) == "tls" }) {
        throw DroverError(.notFound, "env.bosh.mbus.cert.ca: missing; a URL of mbus begins with tls://")
      }
      return .nats(urls: urls, tls: nil)
    }
    // Half of it is a mistake, and must not end in a connection without TLS.
    guard !parts[0].isEmpty else {
      throw DroverError(.invalid, "env.bosh.mbus.cert.ca: missing, though there is a certificate or a key")
    }
    guard parts[1].isEmpty == parts[2].isEmpty else {
      throw DroverError(.invalid, "env.bosh.mbus.cert: certificate and private_key must be there both, or neither")
    }
    return .nats(
      urls: urls,
      tls: NATSTLS(
        certificatePEM: parts[1].isEmpty ? nil : parts[1], key: parts[2].isEmpty ? nil : Secret(parts[2]),
        caPEM: parts[0]))
  }

  private static func scheme(_ url: String) -> String {
    guard let end = url.firstRange(of: "://") else { return String(url.prefix { $0 != ":" }).lowercased() }
    return url[..<end.lowerBound].lowercased()
  }
}

extension BusPlan {
  /// - Throws: when URLs, certificates or keys cannot be read.
  func check(surroundings: Surroundings, logger: Logger) throws {
    switch self {
    case .nats(let urls, let tls):
      _ = try NATSConnection(NATSConfiguration(urls: urls, tls: tls), surroundings: surroundings, logger: logger)
    case .https(let url, let tls):
      _ = try HTTPService(.init(address: url.host, port: url.port ?? 443, tls: tls))
    }
  }
}
