import ArgumentParser
import Formats
import Glibc

/// Flags that every command takes.
struct GlobalOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "The server's address (DROVER_ENVIRONMENT or BOSH_ENVIRONMENT).")
  var environment: String?
  @Option(help: "Certificate authority of the server: a file or PEM text (DROVER_CA_CERT or BOSH_CA_CERT).")
  var caCert: String?
  @Option(help: "The user (DROVER_CLIENT or BOSH_CLIENT).") var client: String?
  @Option(help: "The user's password (DROVER_CLIENT_SECRET or BOSH_CLIENT_SECRET).") var clientSecret: String?
  @Option(name: [.short, .long], help: "The deployment (DROVER_DEPLOYMENT or BOSH_DEPLOYMENT).")
  var deployment: String?
  @Flag(name: [.customShort("n"), .long], help: "Don't ask.") var nonInteractive = false
  @Flag(help: "Print JSON, where there is something to print.") var json = false
  @Option(help: "State directory of this machine's server (DROVER_STATE).") var state: String?

  static var variables: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(separator: "=", maxSplits: 1).map(String.init)
      if pair.count == 2 { variables[pair[0]] = pair[1] }
      entry += 1
    }
    return variables
  }

  var stateDirectory: String { Self.stateDirectory(state, Self.variables) }

  static func stateDirectory(_ flag: String?, _ variables: [String: String]) -> String {
    flag ?? variables["DROVER_STATE"] ?? "/var/lib/drover"
  }

  func target() throws -> TargetEnvironment {
    try TargetEnvironment.resolve(
      (environment, caCert, client, clientSecret), state: stateDirectory, variables: Self.variables)
  }

  /// The deployment that a command is about; nil when none is named.
  var optionalDeployment: String? {
    let name = deployment ?? Self.variables["DROVER_DEPLOYMENT"] ?? Self.variables["BOSH_DEPLOYMENT"]
    return name.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The same of a command that needs one.
  func requireDeployment() throws -> String {
    if let name = optionalDeployment { return name }
    throw DroverError(.invalid, "which deployment? give --deployment NAME (-d), or set DROVER_DEPLOYMENT")
  }

  /// Runs a command's work with a client, and prints what went wrong as one sentence.
  func withClient(_ body: (DirectorClient) async throws -> Void) async throws {
    let client = try DirectorClient(try target())
    do {
      try await body(client)
      await client.close()
    } catch {
      await client.close()
      throw error
    }
  }
}
