import ArgumentParser
import Formats

struct Errands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "errands", abstract: "List what can be run in a deployment.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let name = try options.requireDeployment()
    try await options.withClient { client in
      let errands = try await client.get("/deployments/\(PathText.escape(name))/errands").array ?? []
      Table("errands", ["Name"], errands.map { [$0["name"]?.string ?? ""] }).print(json: options.json)
    }
  }
}

struct RunErrand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run-errand", abstract: "Run an errand; its output appears as it is written.",
    discussion: """
      What stands after -- is passed to the errand's script as it is. The command ends with the script's own exit code;
      125 means that the script was not run or not to its end.
      """)
  @OptionGroup var options: GlobalOptions
  @Flag(help: "Keep the errand's VM for the next run.") var keepAlive = false
  @Flag(help: "Print the task and return.") var detach = false
  @Option(help: "Instances to run on: GROUP, or GROUP/ID, or GROUP/first.") var instance: [String] = []
  @Option(name: [.customShort("E"), .long], help: "KEY=VALUE for the script's environment.") var env: [String] = []
  @Argument(help: "The errand.") var name: String
  @Argument(parsing: .postTerminator, help: "Arguments of the script, after --.") var arguments: [String] = []

  func run() async throws {
    let deployment = try options.requireDeployment()
    let body = try requestBody()
    try await options.withClient { client in
      let task: Int
      do {
        task = try await start(deployment, body, client)
      } catch {
        Console.remark("drover: \(error)")
        throw ExitCode(125)
      }
      if detach {
        Console.remark("Task \(task) runs errand '\(name)'; follow it with: drover attach \(task)")
        Console.print(options.json ? JSON.text(["task": .int(task)]) : String(task))
        return
      }
      try await ErrandAttachment(client: client, task: task, json: options.json).follow()
    }
  }

  private func start(_ deployment: String, _ body: Value, _ client: DirectorClient) async throws -> Int {
    try await client.start(
      .post, "/deployments/\(PathText.escape(deployment))/errands/\(PathText.escape(name))/runs", .json(body))
  }

  private func requestBody() throws -> Value {
    let environment = try env.map { text -> (String, Value) in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--env '\(text)': expected KEY=VALUE") }
      return (parts[0], .string(parts[1]))
    }
    let instances = instance.map { text -> Value in
      let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
      return ["group": .string(parts[0]), "id": .string(parts.count == 2 ? parts[1] : "")]
    }
    return [
      "keep-alive": .bool(keepAlive), "when-changed": false, "instances": .array(instances),
      "arguments": Value(arguments), "environment": .object(ValueObject(environment)),
    ]
  }
}

struct Attach: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Follow an errand that runs, from its first line on.",
    discussion: "Ends with the exit code of the errand's script, as run-errand does.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The task's id.") var task: Int

  func run() async throws {
    try await options.withClient { client in
      try await ErrandAttachment(client: client, task: task, json: options.json).follow()
    }
  }
}
