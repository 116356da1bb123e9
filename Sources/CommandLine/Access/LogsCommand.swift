import ArgumentParser
import Files
import Formats
import Processes
import Surroundings

struct Logs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Fetch logs of instances, or follow them.",
    discussion: """
      Without flags the jobs' logs come as an archive; of several instances, as an archive of their archives. --follow \
      prints lines as they are written, by ssh, until it is interrupted.
      """)
  @OptionGroup var options: GlobalOptions
  @OptionGroup var ssh: SSHOptions
  @Option(help: "Where the archive goes.") var dir = "."
  @Flag(name: [.short, .long], help: "Print lines as they are written.") var follow = false
  @Option(help: "With --follow: begin with so many lines.") var num: Int?
  @Flag(name: [.short, .long], help: "With --follow: without headers between files.") var quiet = false
  @Option(help: "With --follow: only these jobs' logs; may be repeated.") var job: [String] = []
  @Option(help: "Only what these globs match, joined by commas: 'redis/*.log'.") var only: String?
  @Flag(help: "The agent's logs.") var agent = false
  @Flag(help: "The operating system's logs.") var system = false
  @Flag(help: "The logs of jobs, agent and operating system.") var allLogs = false
  @Argument(help: "GROUP or GROUP/ID; all when there is none.") var instance: String?

  func run() async throws {
    let deployment = try options.requireDeployment()
    let slug = try InstanceSlug(instance)
    guard follow else {
      if !job.isEmpty { throw DroverError(.invalid, "--job goes with --follow; to fetch, use --only 'JOB/**/*'") }
      return try await options.withClient { try await fetch($0, deployment, slug) }
    }
    if only != nil { throw DroverError(.invalid, "--only is for fetching; with --follow use --job") }
    var code: Int32 = 0
    try await options.withClient { client in
      code = try await SSHSession.with(client, deployment: deployment, slug, options: ssh.list) { session in
        guard session.hosts.count == 1 else { return try await session.everywhere(tail) }
        return try await ForegroundProgram.run(
          session.ssh(session.hosts[0], command: tail, hasTerminal: Console.isTerminal))
      }
    }
    if code != 0, code < 128 { throw ExitCode(code) }
  }

  private var types: String {
    if allLogs { return "agent,job,system" }
    let types = [(agent, "agent"), (system, "system")].filter(\.0).map(\.1)
    return types.isEmpty ? "job" : types.joined(separator: ",")
  }

  private func fetch(_ client: DirectorClient, _ deployment: String, _ slug: InstanceSlug) async throws {
    let filters = only.map { "&filters=\(PathText.escape($0))" } ?? ""
    let path = "/deployments/\(PathText.escape(deployment))/jobs/\(slug.path)/logs?type=\(types)\(filters)"
    let follower = TaskFollower(client: client, task: try await client.start(.get, path))
    guard let blob = try await follower.printEvents(), !blob.isEmpty else {
      throw DroverError(.failed, "Task \(follower.task) named no archive")
    }
    let archive = try await client.expect(.get, "/resources/\(PathText.escape(blob))")
    let time = Surroundings.system.now().text.prefix(19).map { ": T".contains($0) ? "-" : String($0) }.joined()
    let name = [deployment, slug.group, slug.id].compactMap { $0 }.joined(separator: ".")
    let file = try Self.free("\(absolutePath(dir))/\(name)-\(time)")
    try Files.replace(file, with: archive.bytes, mode: 0o600)
    Console.remark("Logs are in:")
    Console.print(file)
  }

  /// The path with `.tgz`, or else one that is not there yet: several archives may be fetched within a second.
  static func free(_ path: String) throws -> String {
    var file = "\(path).tgz"
    var number = 2
    while try Files.isThere(file) {
      file = "\(path)-\(number).tgz"
      number += 1
    }
    return file
  }

  /// What prints the lines on an instance.
  private var tail: String {
    let jobs = job.isEmpty ? ["**"] : job.map { "'\($0.filter { $0 != "'" })'/**" }
    var globs: [String] = []
    if allLogs || (!agent && !system) { globs += jobs.map { "/var/vcap/sys/log/\($0)/*.log" } }
    if allLogs || agent { globs.append("/var/vcap/bosh/log/current") }
    if allLogs || system { globs.append("/var/log/**/*.log") }
    let flags = (num.map { "-n \($0) " } ?? "") + (quiet ? "-q " : "")
    let script = "shopt -s globstar nullglob; exec tail -F \(flags)-- \(globs.joined(separator: " ")) /dev/null"
    return "sudo bash -c \"\(script)\""
  }
}
