import ArgumentParser
import Formats
import Logging
import Server
import Surroundings

/// The server: director API, tasks, and the bus and the cloud that they stand on.
struct Droverd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "droverd", abstract: "The Drover server: runs BOSH releases on this machine.",
    discussion: """
      Everything has a default that works. A configuration file holds the same keys in YAML (name, state, \
      api.address, …); environment variables (DROVER_NAME, DROVER_API_PORT, …) go over it, flags over both.
      """, version: ServerVersion.text)

  @Option(help: "A YAML file with the server's configuration.") var config: String?
  @Option(help: "The server's name, which is also the director's (default: drover).") var name: String?
  @Option(help: "The directory that everything is kept in (default: /var/lib/drover).") var state: String?
  @Option(help: "The address that the director's API listens on (default: 127.0.0.1).") var apiAddress: String?
  @Option(help: "The port of the director's API (default: 25555).") var apiPort: Int?
  @Option(help: "The address of this host that VMs reach (default: 10.254.0.1).") var endpointAddress: String?
  @Option(help: "The port of the bus on that address (default: 4222).") var natsPort: Int?
  @Option(help: "The port of blobs on that address (default: 25250).") var blobPort: Int?
  @Option(help: "A file of resources to lease, as Boskos has it (default: none, and no pools).")
  var poolsResources: String?
  @Option(help: "The address that the pools' API listens on (default: 127.0.0.1).") var poolsAddress: String?
  @Option(help: "The port of the pools' API (default: 8080).") var poolsPort: Int?
  @Option(help: "What to run for the pools: some of reaper, janitor, cleaner, mason, with commas (default: nothing).")
  var poolsServices: String?
  @Option(help: "Run only this part of the server: pools (default: everything).") var only: String?
  @Option(help: "Log to this file, and rotate it (default: standard error).") var logFile: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).") var logLevel: String?

  func run() async throws {
    let flags: [(String, String?)] = [
      ("name", name), ("state", state), ("api.address", apiAddress), ("api.port", apiPort.map(String.init)),
      ("endpoint.address", endpointAddress), ("endpoint.nats_port", natsPort.map(String.init)),
      ("endpoint.blob_port", blobPort.map(String.init)), ("log.level", logLevel), ("log.file", logFile),
      ("pools.resources", poolsResources), ("pools.address", poolsAddress), ("pools.port", poolsPort.map(String.init)),
      ("pools.services", poolsServices),
    ]
    guard only == nil || only == "pools" else {
      throw ValidationError("--only: expected 'pools', found '\(only ?? "")'")
    }
    let configuration = try ServerConfiguration.load(
      file: config,
      flags: Dictionary(uniqueKeysWithValues: flags.compactMap { key, value in value.map { (key, $0) } }))
    var logger = Logger(label: "droverd") { StreamLogHandler.standardError(label: $0) }
    guard let level = Logger.Level(rawValue: configuration.logLevel) else {
      let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("configuration log.level: expected one of \(levels), found '\(configuration.logLevel)'")
    }
    logger.logLevel = level
    let server = Server(configuration, surroundings: .system, logger: logger)
    let log = ServerLog(configuration, surroundings: .system)
    try log?.begin()
    let keeping = Task { [logger] in await log?.run(logger) }
    defer { keeping.cancel() }
    if only == nil { try await server.run() } else { try await server.runPools() }
  }
}
