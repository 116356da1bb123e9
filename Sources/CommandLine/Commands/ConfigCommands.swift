import ArgumentParser
import Formats

struct UpdateCloudConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update-cloud-config", abstract: "Replace the cloud config: networks, VM types, compilation.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var variables: VariableOptions
  @Option(help: "The config's name.") var name = "default"
  @Argument(help: "A YAML file, or - for standard input.") var path: String

  func run() async throws { try await ConfigUpdate("cloud", name, path, variables, options).run() }
}

struct UpdateRuntimeConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update-runtime-config", abstract: "Replace a runtime config: addons, their releases, tags.",
    discussion: "It has an effect on the deploys that come after it.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var variables: VariableOptions
  @Option(help: "The config's name; those of all names are put together.") var name = "default"
  @Argument(help: "A YAML file, or - for standard input.") var path: String

  func run() async throws { try await ConfigUpdate("runtime", name, path, variables, options).run() }
}

struct UpdateConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update-config", abstract: "Replace a config of any type.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var variables: VariableOptions
  @Option(help: "The config's type: cloud, runtime, …") var type: String
  @Option(help: "The config's name.") var name: String
  @Argument(help: "A YAML file, or - for standard input.") var path: String

  func run() async throws { try await ConfigUpdate(type, name, path, variables, options).run() }
}

/// What commands take that read a file with `((NAME))` in it.
struct VariableOptions: ParsableArguments {
  @Option(name: [.customShort("v"), .customLong("var")], help: "NAME=VALUE for ((NAME)) in the file.")
  var values: [String] = []
}

/// Shows what a new version changes, asks, and makes it.
private struct ConfigUpdate {
  let type: String
  let name: String
  let path: String
  let variables: VariableOptions
  let options: GlobalOptions

  init(_ type: String, _ name: String, _ path: String, _ variables: VariableOptions, _ options: GlobalOptions) {
    self.type = type
    self.name = name
    self.path = path
    self.variables = variables
    self.options = options
  }

  func run() async throws {
    let content = try ManifestText.read(path, variables: variables.values)
    try await options.withClient { client in
      let change: Value = ["type": .string(type), "name": .string(name), "content": .string(content)]
      let difference = try await client.expect(.post, "/configs/diff", .json(change)).value()
      let changed = DifferencePrinter.print(difference["diff"]?.array ?? [])
      if changed, !options.nonInteractive { try Console.confirm("Continue?") }
      var order = change.object ?? [:]
      order["expected_latest_id"] = difference["from"]?["id"]
      _ = try await client.expect(.post, "/configs", .json(.object(order)))
      let what = type.prefix(1).uppercased() + type.dropFirst()
      Console.remark(changed ? "\(what) config '\(name)' updated." : "\(what) config '\(name)' is as it was.")
    }
  }
}

struct CloudConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cloud-config", abstract: "Print the cloud config.")
  @OptionGroup var options: GlobalOptions
  @Option(help: "The config's name.") var name = "default"

  func run() async throws { try await options.withClient { try await ConfigText.print("cloud", name, $0, options) } }
}

struct RuntimeConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "runtime-config", abstract: "Print a runtime config.")
  @OptionGroup var options: GlobalOptions
  @Option(help: "The config's name.") var name = "default"

  func run() async throws { try await options.withClient { try await ConfigText.print("runtime", name, $0, options) } }
}

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Print a config: one version by its id, or the newest by type and name.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var choice: ConfigChoice

  func run() async throws {
    let chosen = try choice.chosen()
    try await options.withClient { client in
      switch chosen {
      case .version(let id):
        let config = try await client.get("/configs/\(PathText.escape(id))")
        try Console.printYAML(config["content"]?.string ?? "", json: options.json)
      case .newest(let type, let name): try await ConfigText.print(type, name, client, options)
      }
    }
  }
}

struct Configs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "configs", abstract: "List the configs; a star marks the newest version.")
  @OptionGroup var options: GlobalOptions
  @Option(help: "Of this type only.") var type: String?
  @Option(help: "Of this name only.") var name: String?
  @Option(name: [.short, .long], help: "How many versions of each.") var recent = 1

  func run() async throws {
    var query = [recent == 1 ? "latest=true" : "latest=false&limit=\(recent)"]
    for (key, value) in [("type", type), ("name", name)] {
      if let value { query.append("\(key)=\(PathText.escape(value))") }
    }
    try await options.withClient { client in
      let rows = (try await client.get("/configs?\(query.joined(separator: "&"))").array ?? []).map { config in
        [
          (config["id"]?.string ?? "") + (config["current"]?.bool == true ? "*" : ""), config["type"]?.string ?? "",
          config["name"]?.string ?? "", config["created_at"]?.string ?? "",
        ]
      }
      Table("configs", ["ID", "Type", "Name", "Created At"], rows).print(json: options.json)
    }
  }
}

struct DeleteConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete-config", abstract: "Delete a config, all versions: by the id of one, or by type and name.",
    discussion: "Deployments that were made with it stay as they are until their next deploy.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var choice: ConfigChoice

  func run() async throws {
    let chosen = try choice.chosen()
    if !options.nonInteractive { try Console.confirm("Delete config \(chosen)?") }
    let path =
      switch chosen {
      case .version(let id): "/configs/\(PathText.escape(id))"
      case .newest(let type, let name): "/configs?type=\(PathText.escape(type))&name=\(PathText.escape(name))"
      }
    try await options.withClient { client in
      let status = try await client.send(.delete, path).status
      guard status != 404 else { throw DroverError(.notFound, "There is no config \(chosen).") }
      guard status == 204 else {
        throw DroverError(.failed, "deleting config \(chosen): the server answered \(status)")
      }
      Console.remark("Config \(chosen) deleted.")
    }
  }
}

/// Which config a command is about.
struct ConfigChoice: ParsableArguments {
  @Argument(help: "The id of one version; instead of --type and --name.") var id: String?
  @Option(help: "The config's type.") var type: String?
  @Option(help: "The config's name.") var name: String?

  enum Chosen: Equatable, CustomStringConvertible {
    case version(String)
    case newest(type: String, name: String)

    var description: String {
      switch self {
      case .version(let id): id
      case .newest(let type, let name): "'\(name)' of type '\(type)'"
      }
    }
  }

  func chosen() throws -> Chosen {
    switch (id, type, name) {
    case (let id?, nil, nil): return .version(id)
    case (nil, let type?, let name?): return .newest(type: type, name: name)
    default: throw ValidationError("expected either ID, or both --type and --name")
    }
  }
}

private enum ConfigText {
  static func print(_ type: String, _ name: String, _ client: DirectorClient, _ options: GlobalOptions) async throws {
    let query = "latest=true&type=\(PathText.escape(type))&name=\(PathText.escape(name))"
    guard let config = (try await client.get("/configs?\(query)").array ?? []).first else {
      throw DroverError(.notFound, "There is no \(type) config '\(name)'.")
    }
    try Console.printYAML(config["content"]?.string ?? "", json: options.json)
  }
}
