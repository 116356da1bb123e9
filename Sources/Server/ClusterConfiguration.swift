import Configuration
import Formats

/// A NATS cluster that others run, as the configuration's section `nats` describes it (design D2).
struct ClusterConfiguration: Sendable, Hashable {
  /// The servers, as the director and the agents reach them.
  var urls: [String]
  /// Path of the authority that has issued the servers' certificates; nil for our own.
  var ca: String?
  /// The director's identity there; nil to have it issued.
  var director: Paths?
  /// The authority that issues agents' identities, which the cluster trusts; nil for our own.
  var issuer: Paths?
  /// Where the authorisation block is written; nil when who may connect is nothing of ours.
  var authorizationFile: String?
  /// Run by `/bin/sh` after each change of that file.
  var reloadCommand: String?

  /// Paths of PEM files.
  struct Paths: Sendable, Hashable {
    var certificate: String
    var key: String
  }

  /// - Returns: nil when nothing is said of a cluster.
  init?(_ reader: ConfigReader) throws {
    func path(_ key: ConfigKey) throws -> String? {
      guard let path = reader.string(forKey: key), !path.isEmpty else { return nil }
      guard path.hasPrefix("/") else {
        throw DroverError(.invalid, "configuration \(key): expected an absolute path, found '\(path)'")
      }
      return path
    }
    func paths(_ certificate: ConfigKey, _ key: ConfigKey) throws -> Paths? {
      switch (try path(certificate), try path(key)) {
      case (nil, nil): return nil
      case (let certificate?, let key?): return Paths(certificate: certificate, key: key)
      case (let found, _):
        throw DroverError(
          .invalid, "configuration \(found == nil ? certificate : key): missing; a certificate and its key go together")
      }
    }
    urls = reader.stringArray(forKey: "nats.urls", default: []).filter { !$0.isEmpty }
    ca = try path("nats.ca")
    director = try paths("nats.certificate", "nats.key")
    issuer = try paths("nats.issuer.certificate", "nats.issuer.key")
    authorizationFile = try path("nats.authorization_file")
    reloadCommand = reader.string(forKey: "nats.reload_command").flatMap { $0.isEmpty ? nil : $0 }
    if reloadCommand != nil, authorizationFile == nil {
      throw DroverError(
        .invalid,
        "configuration nats.reload_command: it runs after a change of nats.authorization_file, which is missing")
    }
    guard urls.isEmpty else { return }
    guard ca == nil, director == nil, issuer == nil, authorizationFile == nil else {
      throw DroverError(
        .invalid,
        "configuration nats.urls: missing; expected the addresses of the cluster, such as nats://10.0.0.5:4222")
    }
    return nil
  }
}
