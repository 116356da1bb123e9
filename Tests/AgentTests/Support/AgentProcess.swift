import AgentProtocol
import Certificates
import Files
import Formats
import Glibc
import Logging
import Messaging
import Processes
import Surroundings
import TestSupport

@testable import Agent

/// `drover-agent` as a process of its own under a real nats-server with mutual TLS and the director's permissions.
final class AgentProcess: Sendable {
  let folder: String
  let director: NATSConnection
  let inbox: ReplyInbox
  /// What the health monitor's connection needs.
  let monitor: NATSConfiguration
  private let pids: PIDs

  actor PIDs {
    var current: Int32?
    func set(_ pid: Int32?) { current = pid }
  }

  var base: String { "\(folder)/vcap" }

  private init(folder: String, director: NATSConnection, inbox: ReplyInbox, monitor: NATSConfiguration) {
    self.folder = folder
    self.monitor = monitor
    self.director = director
    self.inbox = inbox
    pids = PIDs()
  }

  /// Runs a test with a bus and a machine; the agent is started by the test.
  static func with(_ body: @Sendable (AgentProcess) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      let authority = CertificateAuthority(directory: "\(folder)/certificates")
      let own = try await authority.issue(.natsServer(addresses: ["127.0.0.1"]))
      var configuration = NATSServer.Configuration(
        directory: "\(folder)/nats", address: "127.0.0.1", port: try freePort(),
        certificatePEM: own.certificatePEM, key: own.key, caPEM: own.caPEM)
      // Room for what no agent should have to read.
      configuration.maximumPayload = 12 << 20
      let server = NATSServer(configuration: configuration, logger: logger)
      try await server.start()
      let test: AgentProcess
      do {
        try await server.addAgent(AgentIdentity(agentID: TestAgent.id))
        let identity = try await authority.issue(.director)
        let tls = NATSTLS(certificatePEM: identity.certificatePEM, key: identity.key, caPEM: identity.caPEM)
        let director = try NATSConnection(NATSConfiguration(urls: [server.url], tls: tls), logger: logger)
        await director.start()
        try await director.waitUntilConnected(.seconds(10))
        let agent = try await authority.issue(.agent(TestAgent.id))
        try TestAgent.prepare(folder) { settings in
          let bus = BusSettings(
            urls: [server.url],
            certificate: .init(ca: agent.caPEM, certificate: agent.certificatePEM, privateKey: agent.key.reveal()))
          settings["env"] = ["bosh": ["mbus": bus.value]]
        }
        test = AgentProcess(
          folder: folder, director: director, inbox: try await ReplyInbox(bus: director, pattern: "director.test.>"),
          monitor: try await Self.monitor(authority, server.url))
      } catch {
        try? await server.stop()
        throw error
      }
      do {
        try await body(test)
        await test.kill()
        await test.director.close()
        try await server.stop()
      } catch {
        await test.kill()
        try? await server.stop()
        throw error
      }
    }
  }

  private static func monitor(_ authority: CertificateAuthority, _ url: String) async throws -> NATSConfiguration {
    let identity = try await authority.issue(.healthMonitor)
    return NATSConfiguration(
      urls: [url], tls: NATSTLS(certificatePEM: identity.certificatePEM, key: identity.key, caPEM: identity.caPEM))
  }

  /// Starts the agent and returns when it answers.
  func start(program: String = TestAgent.program) async throws {
    let log = open("\(folder)/agent.log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
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
      throw DroverError(.failed, "cannot start \(program)")
    }
    await pids.set(pid)
    for _ in 0..<200 {
      if let pong = try? await request("ping", timeout: .milliseconds(50)), pong == .value("pong") { return }
    }
    throw DroverError(.timeout, "the agent does not answer: \(Files.textIfPresent("\(folder)/agent.log") ?? "")")
  }

  /// Kills the agent's process with SIGKILL, nothing else.
  func kill() async {
    guard let pid = await pids.current else { return }
    Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    await pids.set(nil)
  }

  /// Asks it to end and returns its exit code.
  func terminate() async -> Int32 {
    guard let pid = await pids.current else { return -1 }
    Glibc.kill(pid, SIGTERM)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    await pids.set(nil)
    return (status >> 8) & 0xFF
  }

  func request(
    _ method: String, _ arguments: [Value] = [], id: String = Surroundings.system.identifier(),
    timeout: Duration = .seconds(20)
  ) async throws -> AgentResponse {
    let reply = AgentSubjects.reply(directorID: "test", agentID: TestAgent.id, requestID: id)
    let message = AgentRequest(method: method, arguments: arguments, replyTo: reply)
    return try AgentResponse(
      await inbox.request("agent.\(TestAgent.id)", message.bytes, reply: reply, timeout: timeout))
  }

  func call(_ method: String, _ arguments: Value...) async throws -> Value {
    let value = try TestAgent.value(await request(method, arguments))
    guard let task = AgentTaskReply(value) else { return value }
    return try await result(of: task.taskID)
  }

  func result(of task: String) async throws -> Value {
    while true {
      let value = try TestAgent.value(await request("get_task", [.string(task)]))
      if AgentTaskReply(value) == nil { return value }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
