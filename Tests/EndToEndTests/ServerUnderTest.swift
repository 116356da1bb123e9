import Formats
import Glibc
import Processes
import Testing

/// A server of its own on this machine, made by the programs as they were built, and removed whatever happens.
struct ServerUnderTest: Sendable {
  let name: String
  let state: String
  let folder: String
  /// Between 64 and 250, so that two tests on one machine seldom meet.
  let subnet: Int

  static let root: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/")
  }()

  var programs: String { "\(Self.root)/.build/debug" }
  var apiPort: Int { 26000 + subnet }

  var upFlags: [String] {
    ["--name", name, "--endpoint-address", "10.254.\(subnet).1", "--listen", "127.0.0.1:\(apiPort)"]
  }

  var environment: [String: String] {
    [
      "PATH": "\(programs):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder,
      "DROVER_STATE": state, "DROVER_DEMO_DIR": "\(folder)/demo", "DROVER_CLOUD_CONFIG": "\(folder)/cloud-config.yml",
      "DROVER_UP_FLAGS": upFlags.joined(separator: " "),
    ]
  }

  func command(_ arguments: [String]) -> Command {
    var command = Command(arguments)
    command.environment = environment
    command.directory = Self.root
    command.timeout = .seconds(900)
    return command
  }

  /// Runs `drover` and returns how it ended and what it printed.
  func drover(_ arguments: String...) async throws -> CommandResult {
    try await command(["\(programs)/drover"] + arguments).result()
  }

  /// The pid of the server's process.
  func process() throws -> ProcessIdentity {
    try #require(Pidfile("\(state)/droverd.pid").process(), "droverd is not running")
  }

  /// - Parameter place: tells the servers of several suites in one process apart.
  static func with(place: Int, _ body: (ServerUnderTest) async throws -> Void) async throws {
    let number = (Int(getpid()) * 2 + place) % 186 + 64
    let folder = "/tmp/drover-end-to-end-\(getpid())-\(place)"
    let server = ServerUnderTest(
      name: "e2e\(getpid())-\(place)", state: "\(folder)/state", folder: folder, subnet: number)
    try Files.makeFolder(folder)
    let config = String(decoding: try Files.read("\(root)/examples/manifests/cloud-config.yml"), as: UTF8.self)
    let moved = config.split(separator: "10.244.0.", omittingEmptySubsequences: false).joined(
      separator: "10.244.\(number).")
    try Files.replace("\(folder)/cloud-config.yml", with: Array(moved.utf8))
    do {
      try await body(server)
    } catch {
      Issue.record("\(error)\n\(Files.textIfPresent("\(server.state)/droverd.log") ?? "")")
    }
    let end = try await server.drover("down", "--destroy")
    #expect(end.succeeded, "drover down --destroy: \(end.lastErrorLines())")
    let left = try await Trace.find(server)
    #expect(left.isEmpty, "drover down --destroy left something behind")
    _ = try await Command("rm", "-rf", folder).run()
  }
}
