import ArgumentParser
import Clouds
import Formats
import Glibc
import Logging
import Processes
import Surroundings

struct Up: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Start this machine's server, and bring its VMs back.",
    discussion: """
      Everything is kept below the state directory. What is not said here is as it was the last time: a server that \
      was started with another port gets that port again.
      """)
  @Option(help: "State directory (default: /var/lib/drover, or DROVER_STATE).") var state: String?
  @Option(help: "The server's name; two servers on one machine need two.") var name: String?
  @Option(help: "HOST:PORT of the director's API (default: 127.0.0.1:25555).") var listen: String?
  @Option(help: "The address of this host that VMs reach (default: 10.254.0.1).") var endpointAddress: String?
  @Option(help: "The port of the bus on that address (default: 4222).") var natsPort: Int?
  @Option(help: "The port of blobs on that address (default: 25250).") var blobPort: Int?
  @Option(help: "A YAML file with the server's configuration.") var config: String?

  func run() async throws {
    let directory = state ?? GlobalOptions.variables["DROVER_STATE"] ?? "/var/lib/drover"
    let server = LocalServerProcess(LocalServer(state: absolutePath(directory)))
    var flags = try listen.map(LocalServerProcess.flags(listen:)) ?? [:]
    flags["--name"] = name
    flags["--endpoint-address"] = endpointAddress
    flags["--nats-port"] = natsPort.map(String.init)
    flags["--blob-port"] = blobPort.map(String.init)
    flags["--config"] = config.map(absolutePath)
    if try await server.isUp() {
      Console.remark("The server in \(directory) is running already.")
      let changed = try server.changed(flags)
      if !changed.isEmpty {
        Console.remark(
          "It goes on as it was started; for another \(changed.joined(separator: ", ")) stop it first: "
            + "'drover down --keep-vms', and the same 'drover up' again.")
      }
    } else {
      try await server.start(flags: flags)
    }
    Console.print(try server.howToReach())
  }
}

struct Down: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Stop this machine's server and its VMs; disks and state stay.",
    discussion: "With --destroy everything goes: VMs, disks, interfaces and the state directory.")
  @Option(help: "State directory (default: /var/lib/drover, or DROVER_STATE).") var state: String?
  @Flag(help: "Leave nothing.") var destroy = false
  @Flag(help: "Stop only the server; VMs run on.") var keepVms = false

  func run() async throws {
    let directory = absolutePath(state ?? GlobalOptions.variables["DROVER_STATE"] ?? "/var/lib/drover")
    let server = LocalServerProcess(LocalServer(state: directory))
    guard try await server.stop(destroy: destroy, keepVMs: keepVms) else {
      return Console.remark("There is no server in \(directory).")
    }
    Console.remark(destroy ? "Nothing is left of the server in \(directory)." : "Stopped. 'drover up' brings it back.")
  }
}

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say whether this machine's server runs, and how to reach it.")
  @Option(help: "State directory (default: /var/lib/drover, or DROVER_STATE).") var state: String?

  func run() async throws {
    let directory = absolutePath(state ?? GlobalOptions.variables["DROVER_STATE"] ?? "/var/lib/drover")
    let server = LocalServerProcess(LocalServer(state: directory))
    guard let process = try server.process() else {
      Console.print("The server in \(directory) is not running; 'drover up' starts it.")
      throw ExitCode(1)
    }
    Console.print("The server in \(directory) is running as process \(process.pid).")
    Console.print(try server.howToReach())
  }
}

struct SystemdUnitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "systemd-unit", abstract: "Print a unit by which systemd keeps this machine's server running.",
    discussion: """
      The server is started as 'drover up' was last told. Use it instead of 'drover up':
        drover down --keep-vms
        drover systemd-unit > /etc/systemd/system/droverd.service
        systemctl daemon-reload && systemctl enable --now droverd
      """)
  @Option(help: "State directory (default: /var/lib/drover, or DROVER_STATE).") var state: String?

  func run() throws {
    let directory = absolutePath(state ?? GlobalOptions.variables["DROVER_STATE"] ?? "/var/lib/drover")
    let flags = try LocalServerProcess(LocalServer(state: directory)).remembered()
    Console.write(
      Array(SystemdUnit.text(program: try Executables.beside("droverd"), state: directory, flags: flags).utf8), to: 1)
  }
}

struct BuildStemcell: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-stemcell", abstract: "Build a stemcell for this machine from Debian 12.",
    discussion: "The root file system is built once and kept; a stemcell that is there already is only named.")
  @Option(help: "Where builds are kept.") var cache = "/var/cache/drover"
  @Option(help: "The agent that goes into it (default: drover-agent beside this program).") var agent: String?

  func run() async throws {
    let builder = StemcellBuilder(
      configuration: .init(cache: cache, agent: try agent.map(absolutePath) ?? Executables.beside("drover-agent")))
    let stemcell = try await builder.build { Console.remark($0) }
    Console.remark(
      "\(stemcell.cached ? "There already" : "Built"): \(stemcell.name)/\(stemcell.version) (\(stemcell.operatingSystem))"
    )
    Console.print(stemcell.path)
  }
}
