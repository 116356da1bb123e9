import ArgumentParser
import Formats

/// What `start`, `stop`, `restart` and `recreate` have in common.
struct StateOptions: ParsableArguments {
  @Option(help: "Instances that are changed first: a number or N%.") var canaries: String?
  @Option(help: "Instances that are changed at once: a number or N%.") var maxInFlight: String?
  @Flag(inversion: .prefixedNo, help: "Bring the whole deployment to where it should be, or touch one instance alone.")
  var converge = true
  @Argument(help: "GROUP or GROUP/ID; all when there is none.") var instance: String?

  /// Asks, sends the request, and follows its task.
  func run(
    _ options: GlobalOptions, verb: String, state: String, flags: [(String, Bool)] = []
  ) async throws {
    let deployment = try options.requireDeployment()
    let slug = try InstanceSlug(instance)
    if !converge, slug.group == nil || slug.id == nil {
      throw DroverError(.invalid, "--no-converge changes one instance: give GROUP/ID")
    }
    if !options.nonInteractive { try Console.confirm("\(verb) \(slug) of deployment '\(deployment)'?") }
    var query = flags.filter(\.1).map { "\($0.0)=true" }
    for (name, value) in [("canaries", canaries), ("max_in_flight", maxInFlight)] {
      if let value { query.append("\(name)=\(PathText.escape(value))") }
    }
    let path = "/deployments/\(PathText.escape(deployment))"
    try await options.withClient { client in
      let task: Int
      if converge {
        let target = slug.id == nil ? slug.group.map(PathText.escape) ?? "*" : slug.path
        task = try await client.start(
          .put, "\(path)/jobs/\(target)?\((["state=\(state)"] + query).joined(separator: "&"))", .yaml(""))
      } else {
        if state == "detached" { query.append("hard=true") }
        task = try await client.start(
          .post, "\(path)/instance_groups/\(slug.path)/actions/\(verb)?\(query.joined(separator: "&"))", .yaml(""))
      }
      _ = try await TaskFollower(client: client, task: task).printEvents()
    }
  }
}

struct Start: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start instances that were stopped; makes VMs that 'stop --hard' deleted.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var state: StateOptions

  func run() async throws { try await state.run(options, verb: "start", state: "started") }
}

struct Stop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Drain and stop instances; they stay so until they are started.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var state: StateOptions
  @Flag(help: "Without pre-stop and drain scripts.") var skipDrain = false
  @Flag(help: "Delete the VMs, too; persistent disks are kept.") var hard = false
  @Flag(help: "Keep the VMs, which is what happens anyway.") var soft = false

  func run() async throws {
    try await state.run(
      options, verb: "stop", state: hard ? "detached" : "stopped", flags: [("skip_drain", skipDrain)])
  }
}

struct Restart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Stop and start the jobs of instances.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var state: StateOptions
  @Flag(help: "Without pre-stop and drain scripts.") var skipDrain = false

  func run() async throws {
    try await state.run(options, verb: "restart", state: "restart", flags: [("skip_drain", skipDrain)])
  }
}

struct Recreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recreate", abstract: "Make the VMs of instances anew; persistent disks are kept.")
  @OptionGroup var options: GlobalOptions
  @OptionGroup var state: StateOptions
  @Flag(help: "Without pre-stop and drain scripts.") var skipDrain = false
  @Flag(help: "Also VMs whose agents don't answer.") var fix = false
  @Flag(help: "Print the plan and do nothing.") var dryRun = false

  func run() async throws {
    try await state.run(
      options, verb: "recreate", state: "recreate",
      flags: [("skip_drain", skipDrain), ("fix", fix), ("dry_run", dryRun)])
  }
}
