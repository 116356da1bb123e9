import Formats

/// Which server a command talks to, and as whom.
struct TargetEnvironment: Sendable {
  var url: String
  var user: String
  var password: Secret
  /// Of the authority that the server's certificate must come from; nil for the system's.
  var caPEM: String?
  /// This machine's server, when it is that one.
  var localServer: LocalServer?

  var authorization: String { "Basic \(Base64.encode(Array("\(user):\(password.reveal())".utf8)))" }

  func with(user: String, password: String) -> TargetEnvironment {
    TargetEnvironment(url: url, user: user, password: Secret(password), caPEM: caPEM, localServer: localServer)
  }

  /// What the flags, the environment (`DROVER_…`, and `BOSH_…` as the stock CLI has them) and, failing these, the server
  /// of this machine say.
  static func resolve(
    _ flags: (environment: String?, ca: String?, client: String?, secret: String?), state: String,
    variables: [String: String]
  ) throws -> TargetEnvironment {
    func setting(_ flag: String?, _ name: String) -> String? {
      let value = flag ?? variables["DROVER_\(name)"] ?? variables["BOSH_\(name)"]
      return value.flatMap { $0.isEmpty ? nil : $0 }
    }
    guard let address = setting(flags.environment, "ENVIRONMENT") else {
      let local = try LocalServer(state: state).target()
      // Who says as whom means it also here; variables may be for the directors that they were set for.
      guard let user = flags.client, !user.isEmpty else { return local }
      guard let secret = setting(flags.secret, "CLIENT_SECRET") else {
        throw DroverError(.invalid, "no password for user '\(user)': give --client-secret, or set DROVER_CLIENT_SECRET")
      }
      return local.with(user: user, password: secret)
    }
    guard let user = setting(flags.client, "CLIENT"), let secret = setting(flags.secret, "CLIENT_SECRET") else {
      throw DroverError(
        .invalid,
        "no user for the server at \(address): give --client and --client-secret, or set DROVER_CLIENT and "
          + "DROVER_CLIENT_SECRET")
    }
    var url = address.contains("://") ? address : "https://\(address)"
    while url.hasSuffix("/") { url.removeLast() }
    guard url.hasPrefix("https://") else {
      throw DroverError(.invalid, "environment '\(address)': only https addresses are used")
    }
    if !url.dropFirst("https://".count).contains(":") { url += ":25555" }
    let ca = try setting(flags.ca, "CA_CERT").map { $0.contains("-----BEGIN") ? $0 : try TextFile.read($0) }
    return TargetEnvironment(url: url, user: user, password: Secret(secret), caPEM: ca)
  }
}
