import Files
import Formats
import Glibc
import Processes

/// A server of its own, with networks of its own, that is gone at the end whatever happens.
struct BenchServer {
  let programs: String
  let repository: String
  let folder: String
  let subnet: Int

  init(programs: String, repository: String) {
    self.programs = programs
    self.repository = repository
    folder = "/tmp/drover-bench-\(getpid())"
    subnet = Int(getpid()) % 60 + 4
  }

  var state: String { "\(folder)/state" }

  func command(_ arguments: [String]) -> Command {
    var command = Command(arguments)
    command.environment = [
      "PATH": "\(programs):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder,
      "DROVER_STATE": state,
    ]
    command.directory = repository
    command.timeout = .seconds(900)
    return command
  }

  @discardableResult
  func drover(_ arguments: String...) async throws -> String {
    try await command(["\(programs)/drover"] + arguments).run().text
  }

  /// The process of the server.
  func pid() throws -> Int {
    guard let process = try Pidfile("\(state)/droverd.pid").process() else {
      throw DroverError(.failed, "reading \(state)/droverd.pid: droverd does not run")
    }
    return process.pid
  }

  func up() async throws {
    try await drover(
      "up", "--name", "bench\(getpid())", "--endpoint-address", "10.254.\(subnet).1", "--listen",
      "127.0.0.1:\(27000 + subnet)")
  }

  /// A server that runs, with the redis release, a stemcell and a cloud config.
  static func with<Result>(
    programs: String, repository: String, _ body: (BenchServer) async throws -> Result
  ) async throws -> Result {
    let server = BenchServer(programs: programs, repository: repository)
    try Files.makeFolder(server.folder)
    func remove() async throws {
      _ = try await server.command(["\(programs)/drover", "down", "--destroy"]).result()
      try await Command("rm", "-rf", server.folder).run()
    }
    do {
      let stemcell = try await server.drover("build-stemcell").split(separator: "\n").last.map(String.init) ?? ""
      try await server.up()
      try await server.command(["examples/redis-release/scripts/fetch-blobs"]).run()
      try await server.drover(
        "create-release", "--dir", "examples/redis-release", "--force", "--tarball", "\(server.folder)/redis.tgz")
      try await server.drover(
        "create-release", "--dir", "Benchmarks/release", "--force", "--tarball", "\(server.folder)/bench.tgz")
      try await server.drover("upload-release", "\(server.folder)/bench.tgz")
      try await server.drover("upload-stemcell", stemcell)
      try await server.drover("upload-release", "\(server.folder)/redis.tgz")
      try await server.drover("update-cloud-config", "--non-interactive", try server.cloudConfig())
      let result = try await body(server)
      try await remove()
      return result
    } catch {
      let log = Files.textIfPresent("\(server.state)/droverd.log")?.split(separator: "\n").suffix(20) ?? []
      try? await remove()
      throw DroverError(
        .failed, "measuring a server (the end of its log: \(log.joined(separator: "\n")))", cause: error)
    }
  }

  /// The example's cloud config, on a network of this server's own.
  private func cloudConfig() throws -> String {
    let example = String(
      decoding: try Files.read("\(repository)/examples/manifests/cloud-config.yml"), as: UTF8.self)
    let own = example.split(separator: "10.244.0.", omittingEmptySubsequences: false).joined(
      separator: "10.244.\(subnet).")
    let path = "\(folder)/cloud-config.yml"
    try Files.replace(path, with: Array(own.utf8))
    return path
  }
}
