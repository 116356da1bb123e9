import AgentProtocol
import Archives
import Files
import Formats
import Glibc
import Logging
import Messaging
import Processes
import Surroundings
import TestSupport

@testable import Agent

/// An agent in this process, on a bus in this process, with a machine in a temporary folder, and its director.
struct TestAgent: Sendable {
  static let id = "agent-1"
  let folder: String
  let bus: MemoryBus
  let outputBus: MemoryBus
  let inbox: ReplyInbox
  let outputInbox: ReplyInbox
  let agent: Agent

  var base: String { "\(folder)/vcap" }
  var root: String { "\(folder)/root" }
  var blobstore: String { "\(folder)/blobstore" }
  var layout: VMLayout { VMLayout(base: base) }

  /// Runs a test with an agent that listens.
  static func with(
    settings: (inout ValueObject) -> Void = { _ in }, _ body: @Sendable (TestAgent) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try prepare(folder, settings)
      try await run(in: folder, body)
    }
  }

  /// Runs a test with an agent on a machine that is there already.
  static func run(in folder: String, _ body: @Sendable (TestAgent) async throws -> Void) async throws {
    let bus = MemoryBus()
    let outputBus = MemoryBus()
    var options = AgentOptions()
    options.baseDirectory = "\(folder)/vcap"
    var logger = Logger(label: "agent") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .debug
    let agent = try await Agent(
      options, surroundings: .system, environment: ["LD_LIBRARY_PATH": "/nowhere", "LANG": "C"],
      runnerProgram: program, systemRoot: "\(folder)/root", logger: logger)
    let test = TestAgent(
      folder: folder, bus: bus, outputBus: outputBus,
      inbox: try await ReplyInbox(bus: bus, pattern: "director.test.>"),
      outputInbox: try await ReplyInbox(bus: outputBus, pattern: "director.test.>"), agent: agent)
    try await withThrowingTaskGroup(of: Void.self) { group in
      // What a test that failed has left mounted.
      defer {
        for place in ["store", "store_migration_target"] { umount2("\(folder)/vcap/\(place)", Int32(MNT_DETACH)) }
      }
      let running = Task { try await agent.run(bus: bus, outputBus: outputBus) }
      defer { agent.termination.end(0) }
      do {
        try await test.waitUntilThere()
        try await body(test)
      } catch {
        agent.termination.end(0)
        _ = try? await running.value
        throw error
      }
      agent.termination.end(0)
      _ = try await running.value
      group.cancelAll()
    }
  }

  /// The folder of a machine with its configuration and settings.
  static func prepare(_ folder: String, _ change: (inout ValueObject) -> Void = { _ in }) throws {
    let bosh = "\(folder)/vcap/bosh"
    try Files.makeFolder(bosh)
    try Files.makeFolder("\(folder)/blobstore")
    let configuration: Value = [
      "Infrastructure": [
        "Settings": ["Sources": [["Type": "File", "SettingsPath": .string("\(bosh)/user_data.json")]]]
      ]
    ]
    try Files.replace("\(bosh)/agent.json", with: JSON.bytes(configuration))
    var settings: ValueObject = [
      "agent_id": .string(id), "vm": ["name": "vm-1"], "mbus": "nats://127.0.0.1:4222",
      "blobstore": ["provider": "local", "options": ["blobstore_path": .string("\(folder)/blobstore")]],
      "networks": ["default": ["type": "manual", "ip": "10.0.0.9", "netmask": "255.255.255.0", "default": ["dns"]]],
      "disks": ["persistent": [:]], "env": ["bosh": [:]],
    ]
    change(&settings)
    try Files.replace("\(bosh)/user_data.json", with: JSON.bytes(.object(settings)))
  }

  /// The program that becomes a runner.
  static let program = TestProcess.path(of: "drover-agent")

  private func waitUntilThere() async throws {
    for _ in 0..<200 {
      if let pong = try? await request("ping", timeout: .milliseconds(100)), pong == .value("pong") { return }
    }
    throw DroverError(.timeout, "the agent under test does not answer")
  }

  // MARK: The director's side

  /// Sends a request and returns the answer, a running task included.
  func request(
    _ method: String, _ arguments: [Value] = [], id: String = Surroundings.system.identifier(),
    timeout: Duration = .seconds(20), protocolVersion: Int = 3, wait: Int = 0,
    reading: ReadOutputRequest? = nil
  ) async throws -> AgentResponse {
    let reply = AgentSubjects.reply(directorID: "test", agentID: Self.id, requestID: id)
    let message = AgentRequest(
      method: method, arguments: arguments, replyTo: reply, protocolVersion: protocolVersion, waitMilliseconds: wait,
      reading: reading)
    let isReading = method == "read_output" || reading != nil
    let inbox = isReading ? outputInbox : inbox
    if isReading {
      // The answer comes on the other bus, and only there.
      async let answer = inbox.request("unheard", [], reply: reply, timeout: timeout)
      try await Task.sleep(for: .milliseconds(2))
      try await bus.publish("agent.\(Self.id)", message.bytes)
      return try AgentResponse(await answer)
    }
    return try AgentResponse(
      await inbox.request("agent.\(Self.id)", message.bytes, reply: reply, timeout: timeout))
  }

  /// Sends a request, polls its task if it became one, and returns the value.
  func call(_ method: String, _ arguments: Value...) async throws -> Value {
    let response = try await request(method, arguments)
    guard let task = AgentTaskReply(try Self.value(response)) else { return try Self.value(response) }
    return try await result(of: task.taskID)
  }

  func begin(_ method: String, _ arguments: Value...) async throws -> String {
    guard let task = AgentTaskReply(try Self.value(await request(method, arguments))) else {
      throw DroverError(.invalid, "\(method) did not become a task")
    }
    return task.taskID
  }

  func result(of task: String) async throws -> Value {
    while true {
      let value = try Self.value(await request("get_task", [.string(task)]))
      if AgentTaskReply(value) == nil { return value }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  static func value(_ response: AgentResponse) throws -> Value {
    switch response {
    case .value(let value): return value
    case .exception(let message): throw DroverError(.failed, message)
    }
  }

  /// The exception's text of a request that must fail.
  func failure(_ method: String, _ arguments: Value...) async throws -> String {
    do {
      let response = try await request(method, arguments)
      let value = try Self.value(response)
      if let task = AgentTaskReply(value) { return "no failure: \(try await result(of: task.taskID))" }
      return "no failure: \(value)"
    } catch let error as DroverError {
      return error.message
    }
  }
}
