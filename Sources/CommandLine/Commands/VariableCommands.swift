import ArgumentParser
import Formats

struct Variables: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "variables", abstract: "List variables: all, or those that a deployment was deployed with.",
    discussion: "Values are not shown; 'drover variable NAME' prints one.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let all = try await client.get("/variables").array ?? []
      guard let deployment = options.optionalDeployment else { return show(all.map { ($0, $0["id"]?.string) }) }
      let used = try await client.get("/deployments/\(PathText.escape(deployment))/variables").array ?? []
      show(
        used.map { variable in
          (all.first { $0["name"] == variable["name"] } ?? variable, variable["id"]?.string)
        })
    }
  }

  private func show(_ variables: [(variable: Value, id: String?)]) {
    let rows = variables.map { variable, id in
      [
        variable["name"]?.string ?? "", variable["type"]?.string ?? "", id ?? "", variable["created_at"]?.string ?? "",
        variable["rotates"]?.bool == true
          ? "next deploy makes a new one" : variable["expires_at"]?.string.map { "valid until \($0)" } ?? "",
      ]
    }
    Table("variables", ["Name", "Type", "ID", "Created At", "Note"], rows).print(json: options.json)
  }
}

/// A variable of the server, as people name it.
struct VariableChoice: ParsableArguments {
  @Argument(help: "/DIRECTOR/DEPLOYMENT/NAME, or with --deployment NAME alone.") var name: String

  /// Where it is at the server.
  func query(_ client: DirectorClient, _ options: GlobalOptions) async throws -> String {
    "name=\(PathText.escape(try await fullName(client, options)))"
  }

  func fullName(_ client: DirectorClient, _ options: GlobalOptions) async throws -> String {
    if name.hasPrefix("/") { return name }
    let deployment = try options.requireDeployment()
    return "/\(try await client.get("/info")["name"]?.string ?? "")/\(deployment)/\(name)"
  }
}

struct VariableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "variable", abstract: "Print the value of a variable.",
    discussion: "A text is printed as it is, anything else as YAML, or as JSON with --json.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var choice: VariableChoice
  @Option(help: "Print only this member of it: certificate, private_key, …") var path: String?

  func run() async throws {
    try await options.withClient { client in
      let answer = try await client.get("/variables/value?\(try await choice.query(client, options))")
      var value = answer["value"] ?? .null
      if let path {
        guard let member = value[path] else {
          let known = (value.object ?? [:]).map { "'\($0.key)'" }
          throw DroverError(
            .notFound,
            "variable '\(choice.name)' has no '\(path)'"
              + (known.isEmpty ? "; it is \(value.kindName)" : "; it has \(known.joined(separator: ", "))"))
        }
        value = member
      }
      if let text = value.string, !options.json {
        Console.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
      } else {
        try Console.printYAML(YAML.text(value), json: options.json)
      }
    }
  }
}

struct SetVariable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-variable", abstract: "Give a variable a value; deploys from now on go by it.",
    discussion: """
      The value is the text as it is, without one line end at the end of a file. With the types certificate, rsa, ssh and \
      user it is a mapping in YAML, {certificate: …, private_key: …}, and with json whatever YAML says. It stays, whatever \
      manifests define, until another one is set, or 'drover rotate-variable' has a new one made.
      """)
  @OptionGroup var options: GlobalOptions
  @OptionGroup var choice: VariableChoice
  @Option(help: "What it is: value, password, certificate, json, …") var type = "value"
  @Option(help: "A file with the value, or - for standard input, so that it is in no list of processes.")
  var file: String?
  @Argument(help: "The value.") var value: String?

  func run() async throws {
    let text: String
    switch (file, value) {
    case (let file?, nil):
      let content = try TextFile.read(file)
      text = content.last?.isNewline == true ? String(content.dropLast()) : content
    case (nil, let value?): text = value
    default: throw ValidationError("expected a value, or a file that holds it by --file")
    }
    let value = try VariableText.value(text, type: type)
    try await options.withClient { client in
      _ = try await client.expect(
        .put, "/variables/value?\(try await choice.query(client, options))",
        .json(["value": value, "type": .string(type)]))
      Console.remark("Variable '\(try await choice.fullName(client, options))' is set.")
    }
  }
}

/// What people write for the value of a variable.
enum VariableText {
  static func value(_ text: String, type: String) throws -> Value {
    switch type {
    case "certificate", "rsa", "ssh", "user":
      let value = try YAML.parse(text, file: "the value")
      guard case .object = value else {
        throw DroverError(.invalid, "the value: expected a mapping, as a \(type) is, found \(value.kindName)")
      }
      return value
    case "json":
      let value = try YAML.parse(text, file: "the value")
      guard !value.isNull else { throw DroverError(.invalid, "the value: expected something, found nothing") }
      return value
    default:
      guard !text.isEmpty else { throw DroverError(.invalid, "the value: expected something, found nothing") }
      return .string(text)
    }
  }
}

struct RotateVariable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-variable", abstract: "Have the next deploy make a new value.",
    discussion: "With an authority, the certificates of the same manifest that it signs are made anew as well.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var choice: VariableChoice

  func run() async throws {
    try await options.withClient { client in
      _ = try await client.expect(.post, "/variables/rotate?\(try await choice.query(client, options))")
      Console.remark("The next deploy makes a new value of '\(try await choice.fullName(client, options))'.")
    }
  }
}

struct DeleteVariable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete-variable", abstract: "Delete a variable that no deployment uses, with all its values.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var choice: VariableChoice

  func run() async throws {
    try await options.withClient { client in
      let name = try await choice.fullName(client, options)
      if !options.nonInteractive { try Console.confirm("Delete variable '\(name)'?") }
      _ = try await client.expect(.delete, "/variables/value?name=\(PathText.escape(name))")
      Console.remark("Variable '\(name)' is deleted.")
    }
  }
}
