import ArgumentParser
import Formats
import Surroundings

struct TasksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tasks", abstract: "List the tasks that run, or the last ones.")
  @OptionGroup var options: GlobalOptions
  @Flag(name: [.short, .long], help: "The last 30 that ended, too.") var recent = false
  @Flag(name: [.short, .long], help: "Of all types.") var all = false

  func run() async throws {
    try await options.withClient { client in
      var query =
        recent ? "limit=30&verbose=\(all ? 2 : 1)" : "state=processing,cancelling,queued&verbose=2"
      if let deployment = options.deployment { query += "&deployment=\(PathText.escape(deployment))" }
      let tasks = try await client.get("/tasks?\(query)").array ?? []
      let rows = tasks.map { task in
        [
          task["id"]?.int.map(String.init) ?? "", task["state"]?.string ?? "",
          task["started_at"]?.int.map { Timestamp(seconds: $0).text } ?? "-",
          task["timestamp"]?.int.map { Timestamp(seconds: $0).text } ?? "-", task["user"]?.string ?? "",
          task["deployment"]?.string ?? "-", task["description"]?.string ?? "", task["result"]?.string ?? "-",
        ]
      }
      let columns = ["ID", "State", "Started At", "Finished At", "User", "Deployment", "Description", "Result"]
      guard options.json else { return Table("tasks", columns, rows).print(json: false) }
      let started = tasks.map { task in
        [task["parent"]?.int.map(String.init) ?? "-", task["cause"]?["text"]?.string ?? "-"]
      }
      Table("tasks", columns + ["Parent", "Started By"], zip(rows, started).map { $0 + $1 }).print(json: true)
    }
  }
}

struct TaskCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task", abstract: "Follow a task, from its first event on.")
  @OptionGroup var options: GlobalOptions
  @Flag(help: "Events as they are, JSON lines.") var event = false
  @Flag(help: "The debug output.") var debug = false
  @Flag(help: "The result.") var result = false
  @Flag(help: "What CPIs wrote.") var cpi = false
  @Argument(help: "The task's id; the one that runs when there is none.") var id: Int?

  func run() async throws {
    try await options.withClient { client in
      var found = id
      if found == nil {
        let running = try await client.get("/tasks?state=processing,cancelling,queued&verbose=1&limit=1")
        found = running[0]?["id"]?.int
      }
      guard let task = found else { throw DroverError(.notFound, "No task found") }
      let follower = TaskFollower(client: client, task: task)
      if let kind = [(event, "event"), (debug, "debug"), (result, "result"), (cpi, "cpi")].first(where: \.0)?.1 {
        try await follower.follow(kind) { Console.write($0, to: 1) }
      } else {
        _ = try await follower.printEvents()
      }
    }
  }
}

struct CancelTask: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cancel-task", abstract: "Ask a task to end.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The task's id.") var id: Int

  func run() async throws {
    try await options.withClient { client in
      _ = try await client.expect(.delete, "/task/\(id)")
      Console.remark("Task \(id) is asked to end.")
    }
  }
}

struct Env: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "env", abstract: "Say which server commands talk to.", aliases: ["environment"])
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let info = try await client.get("/info")
      let rows = [
        ["URL", client.environment.url], ["Name", info["name"]?.string ?? ""], ["UUID", info["uuid"]?.string ?? ""],
        ["Version", info["version"]?.string ?? ""], ["User", info["user"]?.string ?? "(not logged in)"],
      ]
      if options.json {
        Console.printJSON(info)
      } else {
        for row in rows { Console.print(row[0] + String(repeating: " ", count: 9 - row[0].count) + row[1]) }
      }
    }
  }
}
