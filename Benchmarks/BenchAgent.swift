import AgentProtocol
import Certificates
import Files
import Formats
import Glibc
import Logging
import Messaging
import Processes
import Surroundings

/// An agent as a process of its own, on a folder instead of a machine, under a real nats-server with mutual TLS and the
/// director's permissions. The Go agent is started in the same way.
struct BenchAgent {
  static let id = "bench-agent"
  let program: String
  let folder: String
  let inbox: ReplyInbox

  var base: String { "\(folder)/vcap" }

  /// - Parameters:
  ///   - name: tells agents apart that are there at the same time.
  ///   - body: gets an agent that does not run yet.
  static func with<Result>(
    program: String, name: String = "agent", _ body: (BenchAgent) async throws -> Result
  ) async throws -> Result {
    let folder = "/tmp/drover-bench-\(name)-\(getpid())"
    try Files.makeFolder(folder)
    let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    let authority = CertificateAuthority(directory: "\(folder)/certificates")
    let own = try await authority.issue(.natsServer(addresses: ["127.0.0.1"]))
    let server = NATSServer(
      configuration: .init(
        directory: "\(folder)/nats", address: "127.0.0.1", port: try freePort(),
        certificatePEM: own.certificatePEM, key: own.key, caPEM: own.caPEM), logger: logger)
    func remove() async {
      try? await server.stop()
      _ = try? await Command("rm", "-rf", folder).run()
    }
    do {
      try await server.start()
      try await server.addAgent(AgentIdentity(agentID: id))
      let identity = try await authority.issue(.director)
      let tls = NATSTLS(certificatePEM: identity.certificatePEM, key: identity.key, caPEM: identity.caPEM)
      let director = try NATSConnection(NATSConfiguration(urls: [server.url], tls: tls), logger: logger)
      await director.start()
      try await director.waitUntilConnected(.seconds(10))
      let agent = BenchAgent(
        program: program, folder: folder, inbox: try await ReplyInbox(bus: director, pattern: "director.bench.>"))
      let certificate = try await authority.issue(.agent(id))
      try agent.prepare(
        BusSettings(
          urls: [server.url],
          certificate: .init(
            ca: certificate.caPEM, certificate: certificate.certificatePEM, privateKey: certificate.key.reveal())))
      let result = try await body(agent)
      await director.close()
      await remove()
      return result
    } catch {
      await remove()
      throw error
    }
  }

  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard found else { throw systemError("looking for a free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  private func prepare(_ bus: BusSettings) throws {
    try Files.makeFolder("\(base)/bosh")
    try Files.makeFolder("\(folder)/blobstore")
    let source: Value = ["Type": "File", "SettingsPath": .string("\(base)/bosh/user_data.json")]
    try Files.replace(
      "\(base)/bosh/agent.json", with: JSON.bytes(["Infrastructure": ["Settings": ["Sources": [source]]]]))
    let settings: Value = [
      "agent_id": .string(Self.id), "vm": ["name": "bench"], "mbus": .string(bus.urls.first ?? ""),
      "blobstore": ["provider": "local", "options": ["blobstore_path": .string("\(folder)/blobstore")]],
      "networks": ["default": ["type": "manual", "ip": "127.0.0.1", "netmask": "255.0.0.0", "default": ["dns"]]],
      "disks": ["persistent": [:]], "env": ["bosh": ["mbus": bus.value]],
    ]
    try Files.replace("\(base)/bosh/user_data.json", with: JSON.bytes(settings))
  }

  /// Starts the agent, runs the body and kills the agent with SIGKILL.
  func running<Result>(_ body: (Int) async throws -> Result) async throws -> Result {
    let pid = try spawn()
    func end() {
      kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
    }
    do {
      let result = try await body(Int(pid))
      end()
      return result
    } catch {
      end()
      throw error
    }
  }

  private func spawn() throws -> pid_t {
    let log = open("\(folder)/agent.log", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(log) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, log, 1)
    posix_spawn_file_actions_adddup2(&actions, log, 2)
    let arguments = [program, "-P", "dummy", "-b", base, "-C", "\(base)/bosh/agent.json"]
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var pid: pid_t = 0
    guard posix_spawn(&pid, program, &actions, nil, &pointers, environ) == 0 else {
      throw DroverError(.failed, "starting \(program): \(String(cString: strerror(errno)))")
    }
    return pid
  }

  func waitForPong() async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      if try await ping(timeout: .milliseconds(20)) { return }
      // Nobody listens yet, which the bus says at once.
      try await Task.sleep(for: .milliseconds(1))
    }
    let log = Files.textIfPresent("\(folder)/agent.log")?.split(separator: "\n").suffix(10) ?? []
    throw DroverError(.timeout, "waiting for \(program); it says: \(log.joined(separator: "\n"))")
  }

  /// Whether the agent answers in time.
  @discardableResult
  func ping(timeout: Duration = .seconds(5)) async throws -> Bool {
    let reply = AgentSubjects.reply(
      directorID: "bench", agentID: Self.id, requestID: Surroundings.system.identifier())
    let message = AgentRequest(method: "ping", arguments: [], replyTo: reply)
    do {
      let answer = try await inbox.request("agent.\(Self.id)", message.bytes, reply: reply, timeout: timeout)
      return try AgentResponse(answer) == .value("pong")
    } catch let error as DroverError where error.code == .timeout || error.code == .unavailable {
      return false
    }
  }

  /// What an action returns, when it is done; `timeout` counts for each message.
  func call(_ method: String, _ arguments: [Value] = []) async throws -> Value {
    let value = try await request(method, arguments)
    guard let task = value["agent_task_id"]?.string else { return value }
    while true {
      let state = try await request("get_task", [.string(task)])
      guard state["state"]?.string == "running" else { return state }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private func request(_ method: String, _ arguments: [Value]) async throws -> Value {
    let reply = AgentSubjects.reply(
      directorID: "bench", agentID: Self.id, requestID: Surroundings.system.identifier())
    let message = AgentRequest(method: method, arguments: arguments, replyTo: reply, protocolVersion: 3)
    let answer = try await inbox.request("agent.\(Self.id)", message.bytes, reply: reply, timeout: .seconds(30))
    switch try AgentResponse(answer) {
    case .value(let value): return value
    case .exception(let message): throw DroverError(.failed, "\(method): \(message)")
    }
  }
}
