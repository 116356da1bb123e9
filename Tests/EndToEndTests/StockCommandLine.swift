import Files
import Processes

/// The stock `bosh` command line, if `BOSH_CLI` names one, asking a server under test.
struct StockCommandLine: Sendable {
  private let program: String
  private let deployment: String
  private let server: ServerUnderTest

  init?(_ server: ServerUnderTest, deployment: String) {
    guard let program = Environment.current()["BOSH_CLI"] else {
      print("the stock CLI is not tested: BOSH_CLI names none")
      return nil
    }
    self.program = program
    self.deployment = deployment
    self.server = server
  }

  func run(_ arguments: String...) async throws -> CommandResult {
    var command = server.command([program, "-n", "-d", deployment] + arguments)
    let password = (Files.textIfPresent("\(server.state)/users") ?? "").split(separator: "\n").first ?? ""
    command.environment?["BOSH_ENVIRONMENT"] = "https://127.0.0.1:\(server.apiPort)"
    command.environment?["BOSH_CA_CERT"] = "\(server.state)/certificates/ca.crt"
    command.environment?["BOSH_CLIENT"] = "admin"
    command.environment?["BOSH_CLIENT_SECRET"] = String(password.dropFirst("admin:".count))
    return try await command.result()
  }
}
