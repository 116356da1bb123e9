import ArgumentParser
import Formats
import Surroundings

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
      Also written as: drover run errand NAME. What stands after --, and what stands behind the errand's name and is no \
      flag of this command, is passed to the errand's script as it is.

      The command ends with the script's own exit code, the highest one when it ran on several instances (those that \
      --fail-fast ended do not count); 128 + n when \
      signal n ended it. Other codes: 124 the time of --timeout was up; 125 the script was not run or not to its end; \
      126 the script is not executable; 127 there is no such script; 130 the command was interrupted, and the errand \
      goes on.

      With --json standard output has the outcome alone, and what the script prints is on standard error.
      """)
  @OptionGroup var options: GlobalOptions
  @Flag(help: "Keep the errand's VM for the next run.") var keepAlive = false
  @Flag(help: "Run nothing if nothing has changed since the errand last succeeded.") var whenChanged = false
  @Flag(exclusivity: .exclusive, help: "Follow the errand to its end, or print the task and return.")
  var follows: Following = .attach
  @Flag(help: "Wait while the same errand runs, instead of being refused.") var queue = false
  @Option(help: "End the script after that long: 30s, 10m, 1h30m.") var timeout: String?
  @Option(help: "Instances to run on: GROUP, or GROUP/ID, or GROUP/first.") var instance: [String] = []
  @Option(help: "Run on so many instances of the group, each on a VM of its own if it is an errand's.")
  var instances: Int?
  @Option(help: "Run on at most so many instances at once (default: 50).") var parallel: Int?
  @Flag(help: "End it everywhere when it has failed on one instance.") var failFast = false
  @Option(help: "Keep so much of each stream, 10M, and a quarter more of its end, 16M at most (default: 1G).")
  var outputLimit: String?
  @Option(
    name: [.customShort("E"), .long],
    help: "KEY=VALUE for the script's environment; -e KEY=VALUE means the same.")
  var env: [String] = []
  @Option(help: "KEY=VALUE for the script's environment; the value is shown nowhere.") var secretEnv: [String] = []
  @Flag(help: "Show the arguments nowhere.") var maskArguments = false
  @Option(
    help: "Lease a resource of a pool while it runs: TYPE, or TYPE:NAME to call it so; besides what the errand says.")
  var lease: [String] = []
  @OptionGroup var interruption: InterruptionOption
  @Argument(help: "The errand.") var name: String
  @Argument(parsing: .postTerminator, help: "Arguments of the script, after --.") var arguments: [String] = []

  enum Following: String, EnumerableFlag { case attach, detach }

  func validate() throws {
    if let timeout {
      let duration: Duration
      do { duration = try Duration(text: timeout) } catch { throw ValidationError("--timeout: \(error)") }
      if duration < .seconds(1) { throw ValidationError("--timeout '\(timeout)': expected at least 1s") }
    }
    for (flag, count) in [("instances", instances), ("parallel", parallel)] {
      if let count, count < 1 { throw ValidationError("--\(flag) '\(count)': expected at least 1") }
    }
    if name.isEmpty { throw ValidationError("the errand's name is empty") }
    _ = try requestBody()
  }

  func run() async throws {
    try await ErrandAttachment.tellingFailures(json: options.json) {
      let deployment = try options.requireDeployment()
      let body = try requestBody()
      try await options.withClient { client in
        let task = try await client.start(
          .post, "/deployments/\(PathText.escape(deployment))/errands/\(PathText.escape(name))/runs", .json(body))
        if follows == .detach {
          Console.remark("Task \(task) runs errand '\(name)'; follow it with: drover attach \(task)")
          Console.print(options.json ? JSON.text(["task": .int(task)]) : String(task))
          return
        }
        try await ErrandAttachment(client: client, task: task, json: options.json)
          .follow(onInterrupt: interruption.onInterrupt)
      }
    }
  }

  private func requestBody() throws -> Value {
    let open = try env.map { try ErrandFlagValue.variable($0, of: "--env") }
    let secret = try secretEnv.map { try ErrandFlagValue.variable($0, of: "--secret-env") }
    var body: ValueObject = [
      "keep-alive": .bool(keepAlive), "when-changed": .bool(whenChanged),
      "instances": .array(try instance.map(ErrandFlagValue.instance)),
      "arguments": Value(arguments), "environment": .object(ValueObject(open + secret)), "queue": .bool(queue),
      "mask-arguments": .bool(maskArguments), "masked-environment": Value(secret.map(\.0)),
    ]
    if let timeout { body["timeout"] = .string(timeout) }
    body["instance-count"] = self.instances.map { Value.int($0) }
    body["parallel"] = parallel.map { Value.int($0) }
    if failFast { body["fail-fast"] = true }
    if let outputLimit { body["output-limit"] = .string(outputLimit) }
    if !lease.isEmpty { body["leases"] = .array(try lease.map(ErrandFlagValue.lease)) }
    return .object(body)
  }
}

/// What Ctrl-C does to an errand that is followed.
struct InterruptionOption: ParsableArguments {
  @Option(
    help: """
      What Ctrl-C does: detach leaves the errand running, cancel ends it, ask detaches unless Ctrl-C is pressed twice, \
      which cancels.
      """)
  var onInterrupt = OnInterrupt.ask
}

struct Attach: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Follow an errand that runs, or ran: what its script prints, and how it ends.",
    discussion: """
      Ends with the exit code of the errand's script, as run-errand does, and with 125 when there is none. Any number may \
      follow one errand.
      """)
  @OptionGroup var options: GlobalOptions
  @Flag(exclusivity: .exclusive, help: "From the first line on, or only what is printed from now on.")
  var beginning: Beginning = .fromStart
  @OptionGroup var interruption: InterruptionOption
  @Argument(help: "The task's id.") var task: Int

  enum Beginning: String, EnumerableFlag { case fromStart, fromNow }

  func run() async throws {
    try await ErrandAttachment.tellingFailures(json: options.json) {
      try await options.withClient { client in
        try await ErrandAttachment(client: client, task: task, json: options.json, fromNow: beginning == .fromNow)
          .follow(onInterrupt: interruption.onInterrupt)
      }
    }
  }
}

struct ErrandRuns: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "errand-runs", abstract: "List runs of errands, the last one first.",
    discussion: "Of one deployment with --deployment, else of all.")
  @OptionGroup var options: GlobalOptions
  @Option(help: "At most so many.") var limit = 30
  @Argument(help: "Only runs of this errand.") var name: String?

  func run() async throws {
    try await options.withClient { client in
      var query = "limit=\(limit)"
      if let deployment = options.deployment { query += "&deployment=\(PathText.escape(deployment))" }
      if let name { query += "&errand=\(PathText.escape(name))" }
      let runs = try await client.get("/errand_runs?\(query)")
      guard !options.json else { return Console.printJSON(runs) }
      let now = Surroundings.system.now().seconds
      let rows = (runs.array ?? []).map { Self.row($0, now) }
      Table(
        "errand runs",
        ["Task", "Errand", "Deployment", "State", "Exit Code", "Started At", "Duration", "Started By", "Arguments"],
        rows
      ).print(json: false)
    }
  }

  private static func row(_ run: Value, _ now: Int) -> [String] {
    func text(_ key: String) -> String { run[key]?.string ?? "-" }
    func number(_ key: String) -> String { run[key]?.int.map(String.init) ?? "-" }
    let began = run["started_at"]?.int
    let duration = began.map { Duration.seconds((run["finished_at"]?.int ?? now) - $0).shortText } ?? "-"
    let arguments = (run["arguments"]?.array ?? []).compactMap(\.string)
    return [
      number("task"), text("errand"), text("deployment"), text("state"), number("exit_code"),
      began.map { Timestamp(seconds: $0).text } ?? "-", duration, run["cause"]?["text"]?.string ?? text("user"),
      arguments.map(ShownWord.text).joined(separator: " "),
    ]
  }
}
