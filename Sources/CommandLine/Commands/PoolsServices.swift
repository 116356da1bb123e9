import ArgumentParser
import Formats
import Glibc
import GoConventions
import Logging
import Pools
import PoolsClient
import PoolsCommands
import PoolsProtocol
import Processes
import Surroundings

/// What the services of pools are told.
struct PoolsServiceOptions: ParsableArguments {
  @OptionGroup var pools: PoolsOptions
  @Option(help: "The types to care for, separated by commas; may be repeated.") var resourceType: [String] = []
  @Option(help: "Care for the types of this file of resources; it is followed.") var resourceTypeFromConfig: String?
  @Option(help: "panic, fatal, error, warning, info, debug or trace.") var logLevel = "info"

  func types(onlyDynamic: Bool = false) throws -> TypeSource {
    try TypeSource(
      types: resourceType.flatMap { $0.split(separator: ",").map(String.init) },
      file: resourceTypeFromConfig.map(absolutePath),
      onlyDynamic: onlyDynamic)
  }

  func logger(_ name: String) throws -> Logger { try serviceLogger(name, logLevel) }
}

private func serviceLogger(_ name: String, _ text: String) throws -> Logger {
  var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
  guard let level = Logger.Level(logrus: text) else {
    throw ValidationError(
      "--log-level: expected panic, fatal, error, warning, info, debug or trace, found '\(text)'")
  }
  logger.logLevel = level
  return logger
}

/// Entries `NAME=COMMAND`.
private func programs(
  _ entries: [String], _ make: (String) throws -> ServiceProgram
) throws -> [String: ServiceProgram] {
  var programs: [String: ServiceProgram] = [:]
  for entry in entries {
    let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("--command: expected NAME=COMMAND, found '\(entry)'") }
    programs[parts[0]] = try make(parts[1])
  }
  return programs
}

/// Runs a service until this program is told to end.
private func untilTold(_ work: @escaping @Sendable () async throws -> Void) async throws {
  NoticedSignal.notice(SIGTERM, SIGINT)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await work() }
    group.addTask { _ = await NoticedSignal.next() }
    defer { group.cancelAll() }
    try await group.next()
  }
}

struct PoolsReaper: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reaper", abstract: "Take back, each minute, what its holder has not spoken of for long.",
    discussion: "What a file of resources says of a type by reap-after goes over --expire and --extra-source-states.")
  @OptionGroup var service: PoolsServiceOptions
  @Option(help: "How long a holder may be silent.") var expire = "30m"
  @Option(help: "The state of what was taken back.") var targetState = "dirty"
  @Option(help: "States to take back from besides busy, cleaning and leased, separated by commas.")
  var extraSourceStates = ""

  func run() async throws {
    let reaper = Reaper(
      try service.pools.client(owner: "Reaper"), types: try service.types(), expiry: try GoDuration.parse(expire),
      target: targetState, extraStates: extraSourceStates.split(separator: ",").map(String.init),
      logger: try service.logger("reaper"))
    try await untilTold { await reaper.run() }
  }
}

struct PoolsJanitor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "janitor", abstract: "Clean dirty resources by a command, and free them.",
    discussion: """
      The command is called with --KIND=NAME, KIND being what follows the last '-' of the type, and with the arguments \
      behind --. When it exits with 0 the resource is free, else it is dirty as before. What it said when it failed is \
      in the log, and at the server under /resources/NAME. A file of resources may name a janitor for each type.
      """)
  @OptionGroup var service: PoolsServiceOptions
  @Option(help: "The command that cleans, where the file of resources has no janitor for a type.")
  var janitorPath: String?
  @Option(help: "TYPE=COMMAND for a type with a command of its own; may be repeated.") var command: [String] = []
  @Option(help: "How many clean-ups run beside each other.") var poolSize = 20
  @Option(help: "How often to say that a resource is still being cleaned.") var updateFrequency = "5m"
  @Option(help: "A clean-up that takes longer has failed (default: it may take as long as it likes).")
  var timeout: String?
  @Option(help: "Put a resource aside after so many failures one after the other (default: never).")
  var quarantineAfter: Int?
  @Option(help: "The state of what is put aside.") var quarantineState = "quarantine"
  @Argument(parsing: .postTerminator, help: "Further arguments of the command.") var arguments: [String] = []

  func run() async throws {
    let limit = try timeout.map { try GoDuration.parse($0) }
    func program(_ command: String) -> ServiceProgram {
      ServiceProgram(
        command: [command] + arguments, timeout: limit, quarantineAfter: quarantineAfter,
        quarantineState: quarantineState)
    }
    guard janitorPath != nil || !command.isEmpty || service.resourceTypeFromConfig != nil else {
      throw ValidationError("give --janitor-path, or --command for the types, or a file of resources that has janitors")
    }
    let janitor = Janitor(
      try service.pools.client(owner: "Janitor"), types: try service.types(),
      settings: .init(
        poolSize: poolSize, updateFrequency: try GoDuration.parse(updateFrequency), program: janitorPath.map(program),
        programs: try programs(command, program)),
      logger: try service.logger("janitor"))
    try await untilTold { await janitor.run() }
  }
}

struct PoolsCleaner: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleaner", abstract: "Take down dynamic resources that are to be deleted, and free what they leased.",
    discussion: "Of a file of resources only the dynamic types count.")
  @OptionGroup var service: PoolsServiceOptions
  @Option(help: "How many are taken down beside each other.") var cleanerCount = 15
  // The original shows what Go's runtime measures there.
  @Option(help: .hidden) var metricsPort: Int?
  @OptionGroup var needless: PoolsNeedlessOptions

  func run() async throws {
    let logger = try service.logger("cleaner")
    needless.tell(logger)
    let cleaner = Cleaner(
      try service.pools.client(owner: "cleaner"), types: try service.types(onlyDynamic: true), count: cleanerCount,
      logger: logger)
    try await untilTold { await cleaner.run() }
  }
}

struct PoolsMason: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mason", abstract: "Build dynamic resources from others by commands.",
    discussion: """
      A dirty resource of a dynamic type that has a mason, or whose config.type has a command, is built: what it needs \
      is leased, and the command is called with JSON on its standard input:

        {"resource": {…}, "leased": {"TYPE": [{…}]},
         "config": {"type": "…", "content": "…"}}

      It writes a JSON object of strings, the resource's user data, and exits with 0. Then the resource is free, and \
      what it was built from has its name as state. When it fails all are dirty.
      """)
  @OptionGroup var pools: PoolsOptions
  @Option(help: "The file of resources.") var config: String
  @Option(help: "CONSTRUCTION=COMMAND, for types that have no mason in the file; may be repeated.")
  var command: [String] = []
  @Option(help: "How many are built beside each other.") var cleanerCount = 15
  @Option(help: "Between two looks for something to build.") var waitPeriod = "15s"
  @Option(help: "How often to say what is still held.") var syncPeriod = "1m"
  @Option(help: "A construction that takes longer has failed (default: it may take as long as it likes).")
  var timeout: String?
  @Option(help: "panic, fatal, error, warning, info, debug or trace.") var logLevel = "info"
  @OptionGroup var needless: PoolsNeedlessOptions

  func run() async throws {
    let logger = try serviceLogger("mason", logLevel)
    needless.tell(logger)
    let limit = try timeout.map { try GoDuration.parse($0) }
    let mason = Mason(
      try pools.client(owner: "mason"), types: try TypeSource(types: [], file: absolutePath(config)),
      settings: .init(
        programs: try programs(command) { ServiceProgram(command: [$0], timeout: limit) }, poolSize: cleanerCount,
        pause: try GoDuration.parse(waitPeriod), heartbeat: try GoDuration.parse(syncPeriod)),
      logger: logger)
    try await untilTold { await mason.run() }
  }
}

struct PoolsMetrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Show pools to Prometheus.",
    discussion: """
      Looks at the types every 30 seconds; /metrics is on --metrics-port, and /?type=TYPE answers on --port with a \
      type's metric as JSON. Drover's own server has /metrics itself.
      """)
  @OptionGroup var service: PoolsServiceOptions
  @Option(help: "The states to tell apart, separated by commas (default: those that mean something).")
  var resourceState: String?
  @Option(help: "The address to listen on; 0.0.0.0 listens everywhere.") var address = "127.0.0.1"
  @Option(help: "The port of /?type=TYPE.") var port = 8080
  @Option(help: "The port of /metrics.") var metricsPort = 9090
  @OptionGroup var needless: PoolsNeedlessOptions

  func run() async throws {
    let logger = try service.logger("metrics")
    needless.tell(logger)
    let exporter = MetricsExporter(
      try service.pools.client(owner: "Metrics"), types: try service.types(),
      states: resourceState?.split(separator: ",").map(String.init), logger: logger)
    let (address, port, metricsPort) = (address, port, metricsPort)
    try await untilTold { try await exporter.run(address: address, port: port, metricsPort: metricsPort) }
  }
}
