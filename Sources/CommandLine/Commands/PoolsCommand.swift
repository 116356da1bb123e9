import ArgumentParser
import Formats
import Glibc
import Logging
import PoolsClient
import PoolsCommands
import PoolsProtocol
import Processes
import Surroundings

struct PoolsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pools", abstract: "Look at pools of resources, and run what cleans and repairs them.",
    subcommands: [
      PoolsList.self, PoolsWatch.self, PoolsReaper.self, PoolsJanitor.self, PoolsCleaner.self, PoolsMason.self,
    ], defaultSubcommand: PoolsList.self)
}

/// What is shown of resources.
enum PoolsTable {
  static func make(_ resources: [PooledResource], now: Timestamp) -> Table {
    let rows = resources.sorted { ($0.type, $0.name) < ($1.type, $1.name) }.map { resource in
      [
        resource.type, resource.name, resource.state, resource.owner.isEmpty ? "-" : resource.owner,
        resource.lastUpdate.map { max(.zero, now - $0).shortText } ?? "-",
      ]
    }
    return Table("resources", ["Type", "Name", "State", "Owner", "Age"], rows)
  }
}

struct PoolsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show resources: type, name, state, owner, and since when.",
    discussion: "Needs a server that can list its resources, as Drover's can and Boskos's cannot.")
  @OptionGroup var pools: PoolsOptions
  @Argument(help: "Only resources of this type.") var type: String?
  @Option(help: "Only resources in this state.") var inState: String?
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let resources = try await pools.asking { try await $0.resources(type: type, state: inState) }
    PoolsTable.make(resources, now: Surroundings.system.now()).print(json: json)
  }
}

struct PoolsWatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Show resources again and again, until interrupted.")
  @OptionGroup var pools: PoolsOptions
  @Argument(help: "Only resources of this type.") var type: String?
  @Option(help: "Only resources in this state.") var inState: String?

  func run() async throws {
    while true {
      let resources = try await pools.asking { try await $0.resources(type: type, state: inState) }
      let text = PoolsTable.make(resources, now: Surroundings.system.now()).text
      // Clears the screen and begins at its top.
      Console.print("\u{1B}[H\u{1B}[2J\(text)")
      try await Surroundings.system.sleep(.seconds(2))
    }
  }
}

/// What the services of pools are told.
struct PoolsServiceOptions: ParsableArguments {
  @OptionGroup var pools: PoolsOptions
  @Option(help: "The types to care for, separated by commas.") var resourceType = ""
  @Option(help: "Care for the types of this file of resources; it is followed.") var resourceTypeFromConfig: String?
  @Option(help: "debug, info, warning or error.") var logLevel = "info"

  func types(onlyDynamic: Bool = false) throws -> TypeSource {
    try TypeSource(
      types: resourceType.split(separator: ",").map(String.init), file: resourceTypeFromConfig.map(absolutePath),
      onlyDynamic: onlyDynamic)
  }

  func logger(_ name: String) throws -> Logger { try serviceLogger(name, logLevel) }
}

private func serviceLogger(_ name: String, _ text: String) throws -> Logger {
  var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
  guard let level = Logger.Level(rawValue: text) else {
    throw ValidationError("--log-level: expected debug, info, warning or error, found '\(text)'")
  }
  logger.logLevel = level
  return logger
}

/// Entries `NAME=COMMAND`.
private func commandTable(_ entries: [String]) throws -> [String: String] {
  var commands: [String: String] = [:]
  for entry in entries {
    let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("--command: expected NAME=COMMAND, found '\(entry)'") }
    commands[parts[0]] = parts[1]
  }
  return commands
}

/// Runs a service until this program is told to end.
private func untilTold(_ work: @escaping @Sendable () async -> Void) async {
  NoticedSignal.notice(SIGTERM, SIGINT)
  await withTaskGroup(of: Void.self) { group in
    group.addTask { await work() }
    group.addTask { _ = await NoticedSignal.next() }
    await group.next()
    group.cancelAll()
  }
}

struct PoolsReaper: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reaper", abstract: "Take back, each minute, what its holder has not spoken of for long.")
  @OptionGroup var service: PoolsServiceOptions
  @Option(help: "How long a holder may be silent.") var expire = "30m"
  @Option(help: "The state of what was taken back.") var targetState = "dirty"
  @Option(help: "States to take back from besides busy, cleaning and leased, separated by commas.")
  var extraSourceStates = ""

  func run() async throws {
    let reaper = Reaper(
      client: try service.pools.client(owner: "Reaper"), types: try service.types(),
      expiry: try GoDuration.parse(expire), target: targetState,
      extraStates: extraSourceStates.split(separator: ",").map(String.init), surroundings: .system,
      logger: try service.logger("reaper"))
    await untilTold { await reaper.run() }
  }
}

struct PoolsJanitor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "janitor", abstract: "Clean dirty resources by a command, and free them.",
    discussion: """
      The command is called with --KIND=NAME, KIND being what follows the last '-' of the type, and with the arguments
      behind --. When it exits with 0 the resource is free, else it is dirty as before. What it said when it failed is in
      the log.
      """)
  @OptionGroup var service: PoolsServiceOptions
  @Option(help: "The command that cleans.") var janitorPath: String
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
    let janitor = Janitor(
      client: try service.pools.client(owner: "Janitor"), types: try service.types(),
      settings: .init(
        poolSize: poolSize, updateFrequency: try GoDuration.parse(updateFrequency), command: janitorPath,
        commands: try commandTable(command), arguments: arguments,
        timeout: try timeout.map { try GoDuration.parse($0) },
        quarantineAfter: quarantineAfter, quarantine: quarantineState),
      surroundings: .system, logger: try service.logger("janitor"))
    await untilTold { await janitor.run() }
  }
}

struct PoolsCleaner: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleaner", abstract: "Take down dynamic resources that are to be deleted, and free what they leased.",
    discussion: "Of a file of resources only the dynamic types count.")
  @OptionGroup var service: PoolsServiceOptions

  func run() async throws {
    let cleaner = Cleaner(
      client: try service.pools.client(owner: "cleaner"), types: try service.types(onlyDynamic: true),
      surroundings: .system, logger: try service.logger("cleaner"))
    await untilTold { await cleaner.run() }
  }
}

struct PoolsMason: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mason", abstract: "Build dynamic resources from others by commands.",
    discussion: """
      A dirty resource of a dynamic type whose config.type has a command is built: what it needs is leased, and the
      command is called with JSON on its standard input:
        {"resource": {…}, "leased": {"TYPE": [{…}]}, "config": {"type": "…", "content": "…"}}
      It writes a JSON object of strings, the resource's user data, and exits with 0. Then the resource is free, and what it
      was built from has its name as state. When it fails all are dirty.
      """)
  @OptionGroup var pools: PoolsOptions
  @Option(help: "The file of resources.") var config: String
  @Option(help: "CONSTRUCTION=COMMAND; may be repeated.") var command: [String]
  @Option(help: "Between two looks for something to build.") var waitPeriod = "15s"
  @Option(help: "How often to say what is still held.") var syncPeriod = "1m"
  @Option(help: "A construction that takes longer has failed (default: it may take as long as it likes).")
  var timeout: String?
  @Option(help: "debug, info, warning or error.") var logLevel = "info"

  func run() async throws {
    let mason = Mason(
      client: try pools.client(owner: "mason"), file: absolutePath(config),
      settings: .init(
        commands: try commandTable(command), pause: try GoDuration.parse(waitPeriod),
        heartbeat: try GoDuration.parse(syncPeriod), timeout: try timeout.map { try GoDuration.parse($0) }),
      surroundings: .system, logger: try serviceLogger("mason", logLevel))
    await untilTold { await mason.run() }
  }
}
