import ArgumentParser
import Formats
import Surroundings

struct Schedules: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedules",
    abstract: "List the errands that run by a schedule: when next, and how the last run ended.",
    discussion: "Of one deployment with --deployment, else of all.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let query = options.deployment.map { "?deployment=\(PathText.escape($0))" } ?? ""
      let schedules = try await client.get("/schedules\(query)")
      guard !options.json else { return Console.printJSON(schedules) }
      Table(
        "schedules",
        [
          "Name", "Deployment", "Errand", "Schedule", "Time Zone", "Next Run", "Last Run", "Task",
          "State",
          "Exit Code",
        ], (schedules.array ?? []).map(Self.row)
      ).print(json: false)
    }
  }

  private static func row(_ schedule: Value) -> [String] {
    func text(_ key: String) -> String { schedule[key]?.string ?? "-" }
    func time(_ value: Value?) -> String { value?.int.map { Timestamp(seconds: $0).text } ?? "-" }
    let last = schedule["last_run"]
    return [
      text("name"), text("deployment"), text("errand"), text("cron"), text("time_zone"),
      schedule["paused"]?.bool == true ? "paused" : time(schedule["next_run"]),
      time(last?["started_at"]),
      last?["task"]?.int.map(String.init) ?? "-", last?["state"]?.string ?? "-",
      last?["exit_code"]?.int.map(String.init) ?? "-",
    ]
  }
}

/// The schedule that a command is about.
struct ScheduleArgument: ParsableArguments {
  @Argument(help: "The schedule's name, as 'drover schedules' shows it.") var name: String

  func path(_ options: GlobalOptions) throws -> String {
    "/deployments/\(PathText.escape(try options.requireDeployment()))/schedules/\(PathText.escape(name))"
  }
}

struct PauseSchedule: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause-schedule", abstract: "Start no more runs of a schedule until it is resumed."
  )
  @OptionGroup var options: GlobalOptions
  @OptionGroup var schedule: ScheduleArgument

  func run() async throws {
    let path = try schedule.path(options)
    try await options.withClient { client in
      _ = try await client.expect(.post, "\(path)/pause")
      Console.remark("Schedule '\(schedule.name)' is paused.")
    }
  }
}

struct ResumeSchedule: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume-schedule",
    abstract: "Let a schedule run again; what it has missed is not made up for.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var schedule: ScheduleArgument

  func run() async throws {
    let path = try schedule.path(options)
    try await options.withClient { client in
      _ = try await client.expect(.post, "\(path)/resume")
      Console.remark("Schedule '\(schedule.name)' runs again.")
    }
  }
}

struct RunSchedule: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run-schedule",
    abstract: "Run a schedule's errand now, paused or not, and follow it.",
    discussion: "Ends with the exit code of the errand's script, as run-errand does.")
  @OptionGroup var options: GlobalOptions
  @Flag(
    exclusivity: .exclusive, help: "Follow the errand to its end, or print the task and return.")
  var follows: RunErrand.Following = .attach
  @OptionGroup var interruption: InterruptionOption
  @OptionGroup var schedule: ScheduleArgument

  func run() async throws {
    try await ErrandAttachment.tellingFailures(json: options.json) {
      let path = try schedule.path(options)
      try await options.withClient { client in
        let task = try await client.start(.post, "\(path)/runs", .yaml(""))
        if follows == .detach {
          Console.remark("Task \(task) runs schedule '\(schedule.name)'; follow it with: drover attach \(task)")
          Console.print(options.json ? JSON.text(["task": .int(task)]) : String(task))
          return
        }
        try await ErrandAttachment(client: client, task: task, json: options.json)
          .follow(onInterrupt: interruption.onInterrupt)
      }
    }
  }
}
