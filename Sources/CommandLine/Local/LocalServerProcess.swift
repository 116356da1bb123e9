import Clouds
import Files
import Formats
import Glibc
import Logging
import NIOCore
import Processes
import Surroundings

/// The server of this machine as a process: starting it, finding it, stopping it.
struct LocalServerProcess: Sendable {
  let server: LocalServer
  private let surroundings = Surroundings.system

  init(_ server: LocalServer) { self.server = server }

  /// The running server; nil when there is none.
  ///
  /// - Throws: when the pidfile cannot be read, which says nothing about the server.
  func process() throws -> ProcessIdentity? {
    do {
      return try Pidfile(server.pidPath).process()
    } catch let error as DroverError where error.code == .forbidden {
      throw server.notForThisUser(error)
    }
  }

  /// Whether it is known that none runs.
  var isSurelyStopped: Bool {
    do { return try process() == nil } catch { return false }
  }

  // MARK: Starting

  /// Flags as they were given the last time, `FLAG` and `VALUE` on a line each.
  private var flagsPath: String { "\(server.state)/flags" }

  /// Starts the server and waits until it answers. What it was told is remembered when it does.
  ///
  /// - Parameter flags: droverd's, by name; the others are as they were the last time.
  func start(flags: [String: String]) async throws {
    guard getuid() == 0 else {
      throw DroverError(.forbidden, "starting the server: it makes containers and interfaces, so it has to be root")
    }
    if mkdir(server.state, 0o700) != 0, errno != EEXIST {
      throw systemError("making the state directory \(server.state)")
    }
    let before = try Files.bytes(flagsPath)
    let lines = try remember(flags)
    let program = try Executables.beside("droverd")
    let arguments = ["--state", server.state, "--log-file", server.logPath] + lines
    Console.remark("Starting droverd; its log is \(server.logPath)")
    let logBegin = try Files.size(server.logPath) ?? 0
    let started = try DetachedProcess(
      ["/bin/sh", "-c", "exec \"$@\" >>\"$0\" 2>&1", server.logPath, program] + arguments,
      environment: Self.environment)
    do {
      try await waitUntilReady(started, logBegin)
    } catch let error as DroverError where error.code == .failed {
      // A mistake is not remembered: the next start is to be told the right thing only.
      if try Files.bytes(flagsPath) != before {
        if let before { try Files.replace(flagsPath, with: before) } else { try Files.remove(flagsPath) }
      }
      throw error
    }
  }

  /// Keeps what the server is told over what it was told the last time. Returns all of it.
  ///
  /// What other commands find the server by stays as it is: those that come now and follow a task wait until it answers.
  func remember(_ flags: [String: String]) throws -> [String] {
    let lines = try remembered().merging(flags) { $1 }.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    // A full disk keeps no server from coming back as it was.
    if try Files.bytes(flagsPath) != bytes { try Files.replace(flagsPath, with: bytes) }
    return lines
  }

  /// Those of the flags that are not what the server was started with.
  func changed(_ flags: [String: String]) throws -> [String] {
    let known = try remembered()
    return flags.filter { known[$0.key] != $0.value }.keys.sorted()
  }

  /// droverd's flags for `--listen`.
  static func flags(listen: String) throws -> [String: String] {
    let parts = listen.split(separator: ":").map(String.init)
    guard parts.count == 2, let port = Int(parts[1]), (1...65535).contains(port) else {
      throw DroverError(.invalid, "--listen '\(listen)': expected HOST:PORT, such as 127.0.0.1:25555")
    }
    return ["--api-address": parts[0], "--api-port": parts[1]]
  }

  func remembered() throws -> [String: String] {
    guard let text = try Files.text(flagsPath) else { return [:] }
    let lines = text.split(separator: "\n").map(String.init)
    var flags: [String: String] = [:]
    for index in stride(from: 0, to: lines.count - 1, by: 2) { flags[lines[index]] = lines[index + 1] }
    return flags
  }

  private static var environment: [String: String] {
    var environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"]
    for (name, value) in GlobalOptions.variables where name.hasPrefix("DROVER_") || name == "LD_LIBRARY_PATH" {
      environment[name] = value
    }
    environment["SWIFT_BACKTRACE"] = "enable=no"
    return environment
  }

  /// Whether a server runs and answers. One that was killed a moment ago may still be seen, but answers no more.
  ///
  /// - Throws: when it runs on and does not answer.
  func isUp() async throws -> Bool {
    let deadline = surroundings.elapsed() + .seconds(60)
    while let running = try process() {
      if await answers() { return true }
      guard surroundings.elapsed() < deadline else {
        throw DroverError(
          .timeout,
          "droverd runs as process \(running) and does not answer for a minute; the last lines of its log:\n\(lastLines())"
        )
      }
      try await surroundings.sleep(.milliseconds(50))
    }
    return false
  }

  private func answers() async -> Bool {
    guard let target = try? server.target(), let client = try? DirectorClient(target) else { return false }
    let answer = try? await client.send(.get, "/info", timeout: .seconds(2))
    await client.close()
    return answer?.status == 200
  }

  private func waitUntilReady(_ process: DetachedProcess, _ logBegin: Int) async throws {
    let deadline = surroundings.elapsed() + .seconds(120)
    while surroundings.elapsed() < deadline {
      if await answers() { return }
      guard process.isAlive else {
        throw DroverError(
          .failed, "droverd ended while it was starting; the last lines of its log:\n\(lastLines(from: logBegin))")
      }
      try await surroundings.sleep(.milliseconds(50))
    }
    throw DroverError(
      .timeout, "droverd does not answer after two minutes; the last lines of its log:\n\(lastLines(from: logBegin))")
  }

  /// Of those that were written behind the beginning, unless the log was renamed meanwhile.
  private func lastLines(from begin: Int = 0) -> String {
    let bytes = ((try? Files.bytes(server.logPath)) ?? nil) ?? []
    let text = String(decoding: begin <= bytes.count ? bytes[begin...] : bytes[...], as: UTF8.self)
    return text.split(separator: "\n").suffix(10).joined(separator: "\n")
  }

  func howToReach() throws -> String {
    let target = try server.target()
    return """
      The server is at \(target.url). As root on this machine 'drover' finds it by itself; elsewhere, and for the bosh CLI:
        export BOSH_ENVIRONMENT=\(target.url)
        export BOSH_CA_CERT=\(server.caPath)
        export BOSH_CLIENT=\(target.user)
        export BOSH_CLIENT_SECRET=$(sed -n 's/^\(target.user)://p' \(server.state)/users)
      """
  }

  // MARK: Stopping

  /// - Returns: whether there was anything of a server.
  func stop(destroy: Bool, keepVMs: Bool) async throws -> Bool {
    let running = try process()
    if running == nil {
      // The name that would be taken could be that of another server.
      switch try server.contents() {
      case .nothing: return false
      case .others where destroy:
        throw DroverError(
          .invalid,
          "\(server.state) has files of others and nothing of a server: it is left alone; "
            + "name the server's state directory by --state or DROVER_STATE")
      case .others: return false
      case .server: break
      }
    }
    if running != nil, !keepVMs {
      do {
        try await drain()
      } catch {
        guard destroy else { throw error }
        Console.remark("Draining failed, going on: \(error)")
      }
    }
    if let running { try await end(running, "droverd") }
    guard !keepVMs else { return true }
    if let name = try name() { try await stopVMs(named: name, destroy: destroy) }
    if destroy { try Files.remove(server.state) }
    return true
  }

  /// What it made on this machine is called by: written down before anything is made. Nil for a server that never got so
  /// far, and for what is left of a removal that was cut short; a name that is guessed could be that of another server.
  private func name() throws -> String? { try Files.text("\(server.state)/name")?.trimmingBlanks() }

  /// - Parameter destroy: also removes what was made on this machine for them.
  private func stopVMs(named name: String, destroy: Bool) async throws {
    let cloud = RuncCloud(
      configuration: .init(name: name, directory: "\(server.state)/cloud"),
      surroundings: surroundings, logger: Logger(label: "drover") { _ in SwiftLogNoOpLogHandler() })
    Console.remark("Stopping the VMs")
    try await cloud.stopAll()
    if let bus = try bus() { try await end(bus, "nats-server") }
    if destroy { try await cloud.destroyAll() }
  }

  /// The nats-server that the server has left running.
  private func bus() throws -> ProcessIdentity? {
    guard let text = try Files.text("\(server.state)/nats/process.json"), let record = try? JSON.parse(text),
      let pid = record["pid"]?.int, let process = ProcessIdentity(livingPid: pid),
      record["started"]?.int == Int(process.startTicks)
    else { return nil }
    return process
  }

  /// Lets jobs end in order, as before a reboot.
  private func drain() async throws {
    let client = try DirectorClient(try server.target())
    do {
      let task = try await client.start(.post, "/server/drain")
      _ = try await TaskFollower(client: client, task: task).printEvents()
      await client.close()
    } catch {
      await client.close()
      throw error
    }
  }

  private func end(_ process: ProcessIdentity, _ name: String) async throws {
    _ = try process.signal(SIGTERM)
    guard try await !process.waitForExit(atMost: .seconds(30)) else { return }
    Console.remark("\(name) does not end within 30 s; killing it")
    _ = try process.signal(SIGKILL)
    _ = try await process.waitForExit(atMost: .seconds(5))
  }
}
