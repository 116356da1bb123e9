import ArgumentParser
import Formats
import Glibc
import Processes

/// What all commands that go by ssh take.
struct SSHOptions: ParsableArguments {
  @Option(help: "Options that ssh is given as they are, for example --opts='-v -L 8080:localhost:80'.")
  var opts: String?
  @Flag(help: "Accepted for the bosh CLI's sake: there is never a gateway, VMs are reached directly.")
  var gwDisable = false

  var list: [String] { (opts ?? "").split(separator: " ").map(String.init) }
}

struct SSH: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh", abstract: "Log in to instances, or run a command on them.",
    discussion: """
      Makes a user for this session with a key of its own, may become root by sudo, and is removed at the end. Without \
      --command one instance must be meant. With several, each line is printed behind the instance's name; the exit \
      code is the command's, or 1 when it failed on one of several.
      """)
  @OptionGroup var options: GlobalOptions
  @OptionGroup var ssh: SSHOptions
  @Option(name: [.short, .long], help: "What to run, in the user's shell.") var command: String?
  @Flag(name: [.short, .long], help: "Print a table of output and exit codes at the end.") var results = false
  @Argument(help: "GROUP or GROUP/ID; all when there is none.") var instance: String?

  func run() async throws {
    let deployment = try options.requireDeployment()
    let slug = try InstanceSlug(instance)
    var code: Int32 = 0
    try await options.withClient { client in
      code = try await SSHSession.with(client, deployment: deployment, slug, options: ssh.list) { session in
        if results || options.json, let command { return try await collect(session, command) }
        return try await show(session)
      }
    }
    if code != 0 { throw ExitCode(code) }
  }

  private func show(_ session: SSHSession) async throws -> Int32 {
    if session.hosts.count == 1 {
      let hasTerminal = command == nil || (isatty(0) == 1 && isatty(1) == 1)
      return try await ForegroundProgram.run(
        session.ssh(session.hosts[0], command: command, hasTerminal: hasTerminal))
    }
    guard let command else {
      throw DroverError(
        .invalid,
        "a shell is for one instance, and '\(instance ?? "")' means \(session.hosts.count); "
          + "give GROUP/ID, or a command with -c")
    }
    return try await session.everywhere(command)
  }

  private func collect(_ session: SSHSession, _ command: String) async throws -> Int32 {
    let found = try await withThrowingTaskGroup(of: (Int, CommandResult).self) { group in
      for (index, host) in session.hosts.enumerated() {
        group.addTask { (index, try await Command(session.ssh(host, command: command, hasTerminal: false)).result()) }
      }
      return try await group.reduce(into: [Int: CommandResult]()) { $0[$1.0] = $1.1 }
    }
    let rows = session.hosts.indices.compactMap { index -> [String]? in
      guard let result = found[index] else { return nil }
      let code = if case .exited(let code) = result.ending { String(code) } else { "\(result.ending)" }
      return [
        session.hosts[index].name, result.text, String(decoding: result.errors, as: UTF8.self), code,
        result.succeeded ? "-" : "\(result.ending)",
      ]
    }
    Table("results", ["Instance", "Stdout", "Stderr", "Exit Code", "Error"], rows).print(json: options.json)
    return rows.allSatisfy { $0[3] == "0" } ? 0 : 1
  }
}

extension SSHSession {
  /// Runs a command on all hosts at once; lines come behind the host's name. Returns 1 when it failed on one.
  func everywhere(_ command: String) async throws -> Int32 {
    let script = #""$@" 2>&1 </dev/null | sed -u "s|^|$DROVER_PREFIX|""#
    return try await withThrowingTaskGroup(of: Int32.self) { group in
      for host in hosts {
        let arguments =
          ["bash", "-o", "pipefail", "-c", script, "ssh"] + ssh(host, command: command, hasTerminal: false)
        group.addTask {
          try await ForegroundProgram.run(arguments, variables: ["DROVER_PREFIX": "\(host.name): "])
        }
      }
      return try await group.reduce(Int32(0)) { $0 != 0 || $1 != 0 ? 1 : 0 }
    }
  }
}

struct SCP: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scp", abstract: "Copy files to instances, or from them.",
    discussion: """
      Paths on instances are GROUP/ID:PATH, GROUP:PATH or :PATH for all. From or to several instances, ((instance_id)) \
      in a path stands for each one's UUID: drover scp web:/var/vcap/sys/log/web/web.log ./web-((instance_id)).log
      """)
  @OptionGroup var options: GlobalOptions
  @OptionGroup var ssh: SSHOptions
  @Flag(name: [.short, .long], help: "Folders with all that they hold.") var recursive = false
  @Argument(help: "From where, several if wanted, and last to where.") var paths: [String]

  func run() async throws {
    let deployment = try options.requireDeployment()
    let parsed = try paths.map(CopyPath.init)
    let slug = try CopyPath.slug(of: parsed)
    var code: Int32 = 0
    try await options.withClient { client in
      code = try await SSHSession.with(client, deployment: deployment, slug, options: ssh.list) { session in
        var worst: Int32 = 0
        for host in session.hosts {
          let arguments = parsed.map { path in
            path.isRemote ? session.remote(host, path.text(for: host.id)) : path.text(for: host.id)
          }
          let code = try await ForegroundProgram.run(session.scp(arguments, isRecursive: recursive))
          worst = max(worst, code)
        }
        return worst
      }
    }
    if code != 0 { throw ExitCode(code) }
  }
}

/// A path of `scp`, here or on instances.
struct CopyPath: Sendable, Hashable {
  let isRemote: Bool
  let slug: String
  private let path: String

  init(_ text: String) throws {
    // A path with a slash before the first colon that is no GROUP/ID is a local file's name.
    guard !text.hasPrefix("/"), !text.hasPrefix("."), let colon = text.firstIndex(of: ":") else {
      isRemote = false
      slug = ""
      path = text
      return
    }
    isRemote = true
    slug = String(text[..<colon])
    path = String(text[text.index(after: colon)...])
    _ = try InstanceSlug(slug)
  }

  func text(for instance: String) -> String {
    var (result, rest) = ("", path[...])
    while let place = rest.firstRange(of: "((instance_id))") {
      result += rest[..<place.lowerBound]
      result += instance
      rest = rest[place.upperBound...]
    }
    result += rest
    return result
  }

  /// The instances that the paths name, which must be the same in all.
  static func slug(of paths: [CopyPath]) throws -> InstanceSlug {
    let slugs = Set(paths.filter(\.isRemote).map(\.slug))
    guard paths.count >= 2, let slug = slugs.first else {
      throw DroverError(.invalid, "scp: expected at least two paths, one of them GROUP/ID:PATH")
    }
    guard slugs.count == 1 else {
      throw DroverError(.invalid, "scp: all paths on instances must name the same ones, found \(slugs.sorted())")
    }
    return try InstanceSlug(slug)
  }
}
