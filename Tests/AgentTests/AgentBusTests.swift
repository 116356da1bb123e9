import AgentProtocol
import Certificates
import Files
import Formats
import Glibc
import HTTPService
import Logging
import Messaging
import Processes
import TestSupport
import Testing

@testable import Agent

/// `drover-agent` as a process, with its log in a file.
struct LoggedAgent {
  private let process: TestProcess
  private let log: String

  init(_ folder: String, platform: String = "dummy") throws {
    log = "\(folder)/agent.log"
    let base = "\(folder)/vcap"
    process = try TestProcess(
      path: "/bin/bash",
      [
        "-c", "exec \"$0\" -P \(platform) -b \(base) -C \(base)/bosh/agent.json 2>>\"$1\"", TestAgent.program, log,
      ])
  }

  var text: String { Files.textIfPresent(log) ?? "" }
  func kill() { process.kill() }

  /// Waits until the log holds a text.
  func says(_ text: String) async throws { try await waitFor(true) { self.text.contains(text) } }
}

@Suite struct AgentBusTests {
  @Test("without certificates in the settings the bus is plain NATS with user and password, one server of several")
  func plain() async throws {
    try await withTemporaryFolder { folder in
      let port = try freePort()
      func server() throws -> TestProcess {
        try TestProcess(
          path: "/usr/bin/env",
          [
            "nats-server", "-a", "127.0.0.1", "-p", "\(port)", "--user", "nats", "--pass", "geheim", "-l",
            "\(folder)/nats.log",
          ])
      }
      var nats = try server()
      defer { nats.kill() }
      try TestAgent.prepare(folder) { settings in
        settings["env"] = [
          "bosh": [
            "mbus": ["urls": ["nats://nats:geheim@127.0.0.1:9", .string("nats://nats:geheim@127.0.0.1:\(port)")]]
          ]
        ]
      }
      let agent = try LoggedAgent(folder)
      defer { agent.kill() }
      let director = try NATSConnection(
        NATSConfiguration(urls: ["nats://nats:geheim@127.0.0.1:\(port)"]),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      await director.start()
      try await director.waitUntilConnected(.seconds(10))
      let inbox = try await ReplyInbox(bus: director, pattern: "director.test.>")
      func ping(_ id: String) async -> AgentResponse? {
        let reply = AgentSubjects.reply(directorID: "test", agentID: TestAgent.id, requestID: id)
        let message = AgentRequest(method: "ping", replyTo: reply)
        let bytes = try? await inbox.request(
          "agent.\(TestAgent.id)", message.bytes, reply: reply, timeout: .milliseconds(100))
        return bytes.flatMap { try? AgentResponse($0) }
      }
      try await waitFor(.value("pong")) { await ping("p1") }
      // A server that is gone is waited for, and the subscription comes back with it.
      nats.kill()
      try await agent.says("no connection to NATS")
      nats = try server()
      try await waitFor(.value("pong")) { await ping("p2") }
      await director.close()
      // What is answered is written down afterwards.
      for line in ["agent-1.p2: {\"value\":\"pong\"}", "Heartbeat delivered"] { try await agent.says(line) }
      let log = agent.text
      #expect(log.contains("INFO - Message: {\"protocol\":3,\"method\":\"ping\""))
      #expect(log.contains("DEBUG - Response to director.test.agent-1.p2: {\"value\":\"pong\"}"))
      #expect(log.contains("INFO - Heartbeat sent") && log.contains("DEBUG - Heartbeat delivered"))
      #expect(log.contains("loaded new infrastructure settings: {\"agent_id\":\"agent-1\""))
      #expect(log.contains("nats:‹redacted›@127.0.0.1:9") && !log.contains("geheim"))
      #expect(log.contains("without TLS"))
    }
  }

  @Test("with the director's permissions nothing that the agent does on the bus is refused")
  func permissions() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let machine = BlobFolder(folder: test.folder)
      let spec = try machine.spec(job: "job", ["bin/run": "#!/bin/bash\necho done\n", "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      #expect(try ErrandResult(await test.call("run_errand", "job")).stdout == "done\n")
      #expect(try await test.call("drain", "shutdown") == 0)
      try await waitFor(true) {
        Files.textIfPresent("\(test.folder)/agent.log")?.contains("Heartbeat delivered") ?? false
      }
      let log = Files.textIfPresent("\(test.folder)/nats/nats.log") ?? ""
      #expect(!log.isEmpty && !log.contains("Violation"))
      #expect(Files.textIfPresent("\(test.folder)/agent.log")?.contains("NATS refused") == false)
    }
  }

  @Test("an agent whose settings are not there yet, or cut off, says so, stays, and begins when they are")
  func lateSettings() async throws {
    try await AgentProcess.with { test in
      let path = "\(test.base)/bosh/user_data.json"
      let settings = try Files.read(path)
      try Files.replace(path, with: Array(settings.prefix(40)))
      let log = "\(test.folder)/agent.log"
      async let started: Void = test.start()
      try await waitFor(true) { Files.textIfPresent(log)?.contains("looking again later") ?? false }
      #expect(Files.textIfPresent(log)?.contains("reading settings from \(path)") == true)
      try Files.replace(path, with: settings)
      try await started
      #expect(await test.terminate() == 1)
      try Files.remove(path)
      try Files.remove("\(test.base)/bosh/settings.json")
      try Files.replace(log, with: [])
      let agent = try LoggedAgent(test.folder)
      defer { agent.kill() }
      try await agent.says("looking again later")
    }
  }

  @Test("an agent with an https bus answers there, with user and password, and keeps blobs")
  func https() async throws {
    try await withTemporaryFolder { folder in
      let authority = CertificateAuthority(directory: "\(folder)/ca")
      let own = try await authority.issue(.directorAPI(dnsNames: [], addresses: ["127.0.0.1"]))
      let port = try freePort()
      try TestAgent.prepare(folder) { settings in
        settings["mbus"] = .string("https://admin:geheim@127.0.0.1:\(port)")
        let certificate = BusSettings.Certificate(
          ca: own.caPEM, certificate: own.certificatePEM, privateKey: own.key.reveal())
        settings["env"] = ["bosh": ["mbus": ["cert": certificate.value]]]
        settings["blobstore"] = [
          "provider": "local", "options": ["blobstore_path": .string("\(folder)/vcap/micro_bosh/data/cache")],
        ]
      }
      try Files.makeFolder("\(folder)/vcap/root/dev")
      let audit = try DatagramSocket(path: "\(folder)/vcap/root/dev/log")
      let agent = try LoggedAgent(folder)
      defer { agent.kill() }
      try await agent.says("taking messages over HTTPS")
      let credentials = BasicCredentials(user: "admin", password: Secret("geheim"))
      @Sendable func send(
        _ method: String, _ path: String, _ body: [UInt8]? = nil, header: String? = nil
      ) async throws -> TestHTTP.Answer {
        try await TestHTTP.send(
          method, "https://127.0.0.1:\(port)\(path)", headers: ["Authorization": header ?? credentials.header],
          body: body,
          caPEM: own.caPEM)
      }
      // The client of those who create a first machine puts the same reply_to into every request.
      @Sendable func call(_ method: String, _ arguments: Value...) async throws -> Value {
        let message = AgentRequest(method: method, arguments: arguments, replyTo: "director-1")
        let answer = try await send("POST", "/agent", message.bytes)
        #expect(answer.status == 200)
        let value = try TestAgent.value(AgentResponse(answer.bytes))
        guard let task = AgentTaskReply(value) else { return value }
        while true {
          let poll = AgentRequest(method: "get_task", arguments: [.string(task.taskID)], replyTo: "director-1")
          let value = try await TestAgent.value(AgentResponse(send("POST", "/agent", poll.bytes).bytes))
          if AgentTaskReply(value) == nil { return value }
          try await Task.sleep(for: .milliseconds(10))
        }
      }
      #expect(try await call("ping") == "pong")
      let line = try await audit.next()
      #expect(
        line.contains("|agent_api|/agent|1|duser=admin requestMethod=POST src=127.0.0.1 spt=")
          && line.contains(" cs2=basic cs2Label=authType cs3=200 cs3Label=responseStatus\n"))
      let wrong = try await send("POST", "/agent", [], header: "Basic YWRtaW46ZmFsc2No")
      #expect(wrong.status == 401 && wrong.header("WWW-Authenticate") == "Basic realm=\"\"")
      let refused = try await audit.next()
      #expect(refused.hasPrefix("<3>") && refused.contains("|/agent|7|duser=admin ") && refused.contains(" cs3=401 "))
      #expect(try await send("GET", "/agent").status == 404)
      let unreadable = try await send("POST", "/agent", Array("{".utf8))
      #expect(unreadable.status == 500 && unreadable.bytes.isEmpty)

      #expect(try await send("GET", "/blobs/b1").status == 404)
      let blob = [UInt8](repeating: 65, count: 3 << 20)
      #expect(try await send("PUT", "/blobs/b1", blob).status == 201)
      #expect(try await send("GET", "/blobs/ab/b1").bytes == blob)
      #expect(try await send("DELETE", "/blobs/b1").status == 404)

      let machine = BlobFolder(folder: folder)
      let script = "#!/bin/bash\nhead -c 2000000 /dev/zero | tr '\\0' x; exit 3\n"
      let spec = try machine.spec(job: "job", ["bin/run": script, "monit": ""])
      #expect(
        try await send("PUT", "/blobs/rendered", Files.read("\(folder)/blobstore/rendered")).status == 201)
      #expect(try await call("apply", spec.value) == "applied")
      #expect(try await call("start") == "started")
      #expect(try await call("get_state")["job_state"] == "running")
      #expect(try ErrandResult(await call("run_errand", "job")).exitCode == 3)
      #expect(try await call("stop") == "stopped")
      #expect(!agent.text.contains("geheim") && !agent.text.contains("PRIVATE KEY"))
      // There is nobody to send it to.
      #expect(!agent.text.contains("Heartbeat sent"))
    }
  }
}
