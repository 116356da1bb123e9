/// Whom a certificate is made out to, and what it may be used for.
public struct CertificateSubject: Sendable, Hashable {
  public enum Usage: String, Sendable, Hashable {
    case server
    case client
  }

  public var commonName: String
  public var dnsNames: [String]
  /// IPv4 or IPv6 addresses in text form.
  public var addresses: [String]
  public var usages: Set<Usage>
  public var keyKind: KeyKind
  public var validity: Duration

  /// Country and organisation are always `C=USA, O=Cloud Foundry`, as nats-server's permissions expect it
  /// (`reference/director.md F.4`).
  public init(
    commonName: String, dnsNames: [String] = [], addresses: [String] = [], usages: Set<Usage>,
    keyKind: KeyKind = .p256, validity: Duration = .seconds(2 * 365 * 86400)
  ) {
    self.commonName = commonName
    self.dnsNames = dnsNames
    self.addresses = addresses
    self.usages = usages
    self.keyKind = keyKind
    self.validity = validity
  }

  /// The HTTPS server of the director's API; RSA, for the stock bosh CLI.
  public static func directorAPI(dnsNames: [String], addresses: [String]) -> Self {
    Self(
      commonName: dnsNames.first ?? addresses.first ?? "drover", dnsNames: dnsNames, addresses: addresses,
      usages: [.server], keyKind: .rsa2048)
  }

  /// The NATS server.
  public static func natsServer(dnsNames: [String] = [], addresses: [String]) -> Self {
    Self(
      commonName: "default.nats.bosh-internal", dnsNames: ["default.nats.bosh-internal"] + dnsNames,
      addresses: addresses, usages: [.server])
  }

  /// The director as a client of NATS.
  public static let director = Self(commonName: "default.director.bosh-internal", usages: [.client])
  /// The health monitor as a client of NATS.
  public static let healthMonitor = Self(commonName: "default.hm.bosh-internal", usages: [.client])

  /// An agent as a client of NATS.
  /// - Parameter bootstrap: for the first boot only, replaced through `update_settings`.
  public static func agent(_ agentID: String, bootstrap: Bool = false) -> Self {
    Self(commonName: "\(agentID)\(bootstrap ? ".bootstrap" : "").agent.bosh-internal", usages: [.client])
  }
}
