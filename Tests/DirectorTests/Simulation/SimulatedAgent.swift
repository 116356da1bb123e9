import AgentProtocol
import Blobs
import Digests
import Formats
import Messaging
import Surroundings
import Synchronization

/// An agent as the director knows it: keeps its tasks by the identity of their requests, survives the director.
final class SimulatedAgent: Sendable {
  enum Outcome: Sendable {
    case value(Value)
    case failure(String)
  }

  private struct State {
    var tasks: [String: Outcome?] = [:]
    var taskOfRequest: [String: String] = [:]
    var tail: Task<Void, Never>?
    var running: [Task<Void, Never>] = []
    var spec: Value = [:]
    var isStarted = false
    var output: [String: [UInt8]] = [:]
    var cancelled: Set<String> = []
    var mounted: Set<String> = []
    var nextTask = 0
    var errands = 0
  }

  let id: String
  private let bus: any MessageBus
  private let clock: VirtualClock
  private let blobs: any BlobStore
  private let behaviour: AgentBehaviour
  private let state = Mutex(State())
  private let subscription: MessageSubscription

  init(
    id: String, bus: any MessageBus, clock: VirtualClock, blobs: any BlobStore, behaviour: AgentBehaviour
  ) async throws {
    self.id = id
    self.bus = bus
    self.clock = clock
    self.blobs = blobs
    self.behaviour = behaviour
    subscription = try await bus.subscribe(AgentSubjects.requests(agentID: id))
  }

  /// Begins to listen.
  func start() {
    let task = clock.surroundings.task { [self] in
      // It takes a moment to boot.
      try? await clock.sleep(.milliseconds(clock.chance(300)))
      do {
        for try await message in subscription { await receive(message) }
      } catch {}
    }
    state.withLock { $0.running.append(task) }
  }

  /// Its VM is deleted.
  func end() {
    subscription.unsubscribe()
    let running = state.withLock { $0.running }
    for task in running { task.cancel() }
  }

  private func receive(_ message: BusMessage) async {
    guard case .request(let request) = AgentRequest.read(message.payload), let reply = request.replyTo else { return }
    if request.method == "read_output" {
      let task = clock.surroundings.task { [self] in await answer(reply, await readOutput(request)) }
      return state.withLock { $0.running.append(task) }
    }
    let first = response(to: request)
    if var reading = request.reading, isOurs, case .value(let value) = first, let begun = AgentTaskReply(value) {
      reading.taskID = begun.taskID
      let task = clock.surroundings.task { [self, reading] in
        guard case .value(let value) = await read(reading), let output = try? ReadOutputReply(value) else { return }
        await answer(reply, .value(AgentTaskReply(taskID: begun.taskID, output: output).value))
      }
      return state.withLock { $0.running.append(task) }
    }
    if request.waitMilliseconds > 0, isOurs, case .value(let value) = first, let begun = AgentTaskReply(value) {
      let task = clock.surroundings.task { [self] in
        await waitForEnd(of: begun.taskID, atMost: .milliseconds(request.waitMilliseconds))
        await answer(reply, outcome(of: begun.taskID))
      }
      return state.withLock { $0.running.append(task) }
    }
    await answer(reply, first)
  }

  /// Every other agent is one that does not know what we add to the protocol, but for `read_output`.
  private var isOurs: Bool { (id.utf8.last ?? 0) % 2 == 0 }

  private func waitForEnd(of task: String, atMost limit: Duration) async {
    let deadline = clock.now + limit
    while clock.now < deadline, case .some(nil) = state.withLock({ $0.tasks[task] }) {
      do { try await clock.sleep(.milliseconds(20)) } catch { return }
    }
  }

  private func answer(_ reply: String, _ response: AgentResponse) async {
    try? await bus.publish(reply, response.bytes(), reply: nil)
  }

  private func response(to request: AgentRequest) -> AgentResponse {
    let first = request.arguments.first?.string ?? ""
    switch request.method {
    case "ping": return .value("pong")
    case "get_state":
      return state.withLock { state in
        var object = state.spec.object ?? [:]
        object["agent_id"] = .string(id)
        object["job_state"] = state.isStarted ? "running" : "stopped"
        return .value(.object(object))
      }
    case "ssh": return ssh(request)
    case "drain_state":
      guard first != "none" else { return .exception(message: "Action Failed drain_state: no job 'none' on this VM") }
      return .value(["state": "draining", "since": "now"])
    case "drained": return .value(.null)
    case "start":
      state.withLock { $0.isStarted = true }
      return .value("started")
    case "get_task": return outcome(of: first)
    case "cancel_task":
      state.withLock { _ = $0.cancelled.insert(first) }
      return .value("canceled")
    default: return .value(AgentTaskReply(taskID: begin(request)).value)
    }
  }

  private func outcome(of task: String) -> AgentResponse {
    switch state.withLock({ $0.tasks[task] }) {
    case nil: .exception(message: "Task with id \(task) could not be found")
    case .some(nil): .value(AgentTaskReply(taskID: task).value)
    case .some(.value(let value)): .value(value)
    case .some(.failure(let text)): .exception(message: "Action Failed get_task: Task \(task) result: \(text)")
    }
  }

  private func ssh(_ request: AgentRequest) -> AgentResponse {
    let group = state.withLock { $0.spec["name"]?.string ?? "" }
    guard !behaviour.fails(group, "ssh") else { return .exception(message: "Action Failed ssh: no host key") }
    let command = request.arguments.first?.string ?? ""
    note(
      "ssh \(command) \(request.arguments.last?["user"]?.string ?? request.arguments.last?["user_regex"]?.string ?? "")"
    )
    guard command == "setup" else { return .value(["command": "cleanup", "status": "success"]) }
    return .value([
      "command": "setup", "status": "success", "ip": "10.0.0.1", "host_public_key": .string("ssh-rsa \(id)\n"),
    ])
  }

  /// Begins a task, or finds the one that this very request has begun before.
  private func begin(_ request: AgentRequest) -> String {
    state.withLock { state in
      if let requestID = request.requestID, let known = state.taskOfRequest[requestID] { return known }
      state.nextTask += 1
      let taskID = "\(id)-\(state.nextTask)"
      if let requestID = request.requestID { state.taskOfRequest[requestID] = taskID }
      state.tasks[taskID] = .some(nil)
      let before = request.method == "run_errand" ? nil : state.tail
      let task = clock.surroundings.task { [self] in
        await before?.value
        do {
          let value = try await work(request, taskID)
          self.state.withLock { $0.tasks[taskID] = .value(value) }
        } catch let failure as DroverError {
          self.state.withLock { $0.tasks[taskID] = .failure(failure.message) }
        } catch {}
      }
      if request.method != "run_errand" { state.tail = task }
      state.running.append(task)
      return taskID
    }
  }

  private func note(_ name: String) {
    let spec = state.withLock { $0.spec }
    behaviour.note(
      .init(agent: id, instance: spec["id"]?.string ?? "", group: spec["name"]?.string ?? "", name: name))
  }

  private func work(_ request: AgentRequest, _ taskID: String) async throws -> Value {
    try await clock.sleep(.milliseconds(clock.chance(60)))
    let first = request.arguments.first ?? .null
    if ["apply", "drain", "stop"].contains(request.method), state.withLock({ $0.errands > 0 }) {
      behaviour.violation("\(request.method) on \(id) while an errand ran there")
    }
    switch request.method {
    case "apply":
      state.withLock { $0.spec = first }
      note(Self.hasJobs(first) ? "apply" : "apply identity")
      return "applied"
    case "run_script":
      let name = first.string ?? ""
      note(name)
      if behaviour.fails(state.withLock { $0.spec["name"]?.string ?? "" }, name) {
        throw DroverError(.failed, "1 of 1 \(name) scripts failed. Failed Jobs: job.")
      }
      return [:]
    case "stop":
      note("stop")
      state.withLock { $0.isStarted = false }
      return "stopped"
    case "drain":
      note("drain")
      return 0
    case "run_errand": return try await runErrand(request, taskID)
    case "compile_package_with_signed_url":
      let compile = try CompileRequest(signed: first)
      behaviour.note(.init(agent: id, instance: "", group: "", name: "compile \(compile.name)"))
      if behaviour.fails("compilation", compile.name) {
        throw DroverError(.failed, "compiling \(compile.name): exit 1")
      }
      let blob = try await blobs.put(bytes: Array("compiled \(compile.name)".utf8), id: Self.blobID(compile.uploadURL))
      return CompileResult(blobstoreID: nil, sha1: "\(blob.digest)").value
    case "fetch_logs_with_signed_url":
      let logs = Array("logs".utf8)
      let order = try LogRequest(first)
      if isOurs, order.archiveLimit >= logs.count {
        return LogResult(blobstoreID: nil, sha1: DigestHasher.hex(.sha1, logs), archive: logs).value
      }
      let blob = try await blobs.put(bytes: logs, id: Self.blobID(order.uploadURL))
      return LogResult(blobstoreID: nil, sha1: "\(blob.digest)").value
    case "mount_disk":
      state.withLock { _ = $0.mounted.insert(first.string ?? "") }
      return [:]
    case "unmount_disk":
      state.withLock { _ = $0.mounted.remove(first.string ?? "") }
      return [:]
    case "prepare", "update_settings", "add_persistent_disk", "remove_persistent_disk", "migrate_disk": return [:]
    default: throw DroverError(.unsupported, AgentTexts.unknownMessage(request.method))
    }
  }

  private static func hasJobs(_ spec: Value) -> Bool { spec["job"]?["templates"]?.array?.isEmpty == false }

  private static func blobID(_ url: String) -> String {
    String(url.split(separator: "?")[0].split(separator: "/").last ?? "")
  }

  // MARK: Errands

  private func runErrand(_ request: AgentRequest, _ taskID: String) async throws -> Value {
    let script = request.arguments.first?.string ?? ""
    if behaviour.fails(state.withLock { $0.spec["name"]?.string ?? "" }, "errand") {
      throw DroverError(.failed, AgentTexts.errandFailed + "cannot run /jobs/\(script)/bin/run: there is no such file")
    }
    note("errand \(script)")
    behaviour.noteErrand(request.arguments.dropFirst().first?["env"] ?? [:])
    if !Self.hasJobs(state.withLock({ $0.spec })) {
      behaviour.violation("errand \(script) ran on \(id), to which nothing was applied")
    }
    let options = try request.arguments.dropFirst().first.map(ErrandOptions.init) ?? ErrandOptions()
    let place = options.environment["DROVER_RUN_INDEX"].flatMap { Int($0) }
    var (lines, exitCode) = behaviour.errand
    if let code = place.flatMap({ behaviour.errandCodes[$0] }) { (lines, exitCode) = (1, code) }
    behaviour.begin()
    state.withLock { $0.errands += 1 }
    defer {
      state.withLock { $0.errands -= 1 }
      behaviour.end()
    }
    if behaviour.silence > .zero { try await clock.sleep(behaviour.silence) }
    for line in 0..<lines {
      try await clock.sleep(.milliseconds(clock.chance(400)))
      if state.withLock({ $0.cancelled.contains(taskID) }) {
        return ErrandResult(stdout: text(taskID), stderr: "", exitCode: behaviour.endedCode).value
      }
      let rest = String(repeating: "x", count: behaviour.padding)
      state.withLock { $0.output[taskID, default: []] += Array("line \(line) of \(taskID)\(rest)\n".utf8) }
    }
    let isAsked = request.arguments.dropFirst().first?["answer"]?.bool == true
    return ErrandResult(
      stdout: text(taskID), stderr: "", exitCode: exitCode, answer: isAsked ? Array("the answer".utf8) : nil
    ).value
  }

  private func text(_ taskID: String) -> String {
    String(decoding: state.withLock { $0.output[taskID] ?? [] }, as: UTF8.self)
  }

  private func readOutput(_ request: AgentRequest) async -> AgentResponse {
    guard let read = request.arguments.first.flatMap({ try? ReadOutputRequest($0) }) else {
      return .exception(message: "read_output: bad argument")
    }
    return await self.read(read)
  }

  private func read(_ read: ReadOutputRequest) async -> AgentResponse {
    let deadline = clock.now + .milliseconds(read.waitMilliseconds)
    while true {
      let (bytes, isOver) = state.withLock { state -> ([UInt8], Bool) in
        let isOver = if case .some(.some) = state.tasks[read.taskID] { true } else { false }
        return (state.output[read.taskID] ?? [], isOver)
      }
      if bytes.count > read.stdoutOffset || isOver || clock.now >= deadline {
        // Not more than some bytes at once, so that readings end in the middle of lines.
        let part = Array(bytes.dropFirst(read.stdoutOffset).prefix(50 + behaviour.padding))
        let end = read.stdoutOffset + part.count
        var reply = ReadOutputReply(
          stdout: Base64.encode(part), stderr: "", stdoutOffset: end, stderrOffset: 0, stdoutSize: bytes.count,
          stderrSize: 0, ended: isOver && end == bytes.count)
        if reply.ended, read.wantsResult, isOurs { reply.result = outcome(of: read.taskID) }
        return .value(reply.value)
      }
      do { try await clock.sleep(.milliseconds(40)) } catch { return .exception(message: "the VM is gone") }
    }
  }
}
