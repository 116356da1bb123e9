import ArgumentParser
import Formats
import PoolsClient
import PoolsProtocol
import Surroundings

struct PoolsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pools", abstract: "Look at pools of resources, and run what cleans and repairs them.",
    subcommands: [
      PoolsList.self, PoolsWatch.self, PoolsReaper.self, PoolsJanitor.self, PoolsCleaner.self, PoolsMason.self,
      PoolsMetrics.self,
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
    var isFirst = true
    while true {
      var text: String
      do {
        let resources = try await pools.asking { try await $0.resources(type: type, state: inState) }
        text = PoolsTable.make(resources, now: Surroundings.system.now()).text
      } catch let error as DroverError where !isFirst {
        // The server is started anew, perhaps.
        text = "\(error)"
      }
      isFirst = false
      // Clears the screen and begins at its top.
      Console.print("\u{1B}[H\u{1B}[2J\(text)")
      try await Surroundings.system.sleep(.seconds(2))
    }
  }
}
