import Files
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

  /// Runs `drover` and stops the test when it fails.
  func succeed(_ arguments: String...) async throws {
    let result = try await command(["\(programs)/drover"] + arguments).result()
    try #require(
      result.succeeded, "drover \(arguments.joined(separator: " ")): \(result.text)\n\(result.lastErrorLines(40))")
  }

  /// A server that runs, with a stemcell, a cloud config and a release from `examples/`.
  func prepare(release: String) async throws {
    let stemcell = try await drover("build-stemcell")
    try #require(stemcell.succeeded, "\(stemcell.lastErrorLines(20))")
    let path = stemcell.text.split(separator: "\n").last.map(String.init) ?? ""
    let up = try await command(["\(programs)/drover", "up"] + upFlags).result()
    try #require(up.succeeded, "\(up.lastErrorLines(20))")
    try await succeed("upload-stemcell", path)
    let tarball = "\(folder)/\(release).tgz"
    try await succeed("create-release", "--dir", "examples/\(release)-release", "--force", "--tarball", tarball)
    try await succeed("upload-release", tarball)
    try await succeed("update-cloud-config", "-n", "\(folder)/cloud-config.yml")
  }

  /// One of `examples/manifests`, on this server's network, with pieces of its text replaced by others.
  func manifest(_ name: String, changing changes: [(String, String)] = []) throws -> String {
    var text = String(decoding: try Files.read("\(Self.root)/examples/manifests/\(name).yml"), as: UTF8.self)
    for (old, new) in [("10.244.0.", "10.244.\(subnet).")] + changes {
      text = text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
    let path = "\(folder)/\(name).yml"
    try Files.replace(path, with: Array(text.utf8))
    return path
  }

  /// The pid of the server's process.
  func process() throws -> ProcessIdentity {
    try #require(try Pidfile("\(state)/droverd.pid").process(), "droverd is not running")
  }

  /// - Parameter place: tells the servers of several suites in one process apart.
  static func with(place: Int, _ body: (ServerUnderTest) async throws -> Void) async throws {
    let number = (Int(getpid()) * 3 + place) % 186 + 64
    let folder = "/tmp/drover-end-to-end-\(getpid())-\(place)"
    let server = ServerUnderTest(
      name: "e2e\(getpid())-\(place)", state: "\(folder)/state", folder: folder, subnet: number)
    try Files.makeFolder(folder)
    _ = try server.manifest("cloud-config")
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
