import Certificates
import Files
import Formats
import Glibc
import TestSupport
import Testing

@testable import Messaging

@Suite("NATSServer")
struct NATSServerTests {
  @Test("lets each identity use its own subjects, and no others")
  func permissions() async throws {
    try await Bench.run { bench in
      try await bench.server.setAgents([AgentIdentity(agentID: "a-1"), AgentIdentity(agentID: "a-2", bootstrap: true)])
      let director = try await bench.connect(.director)
      let monitor = try await bench.connect(.healthMonitor)
      let one = try await bench.connect(.agent("a-1"))
      let two = try await bench.connect(.agent("a-2", bootstrap: true))

      let replies = try await director.subscribe("director.>")
      let beats = try await monitor.subscribe("hm.agent.heartbeat.*")
      let requests = try await one.subscribe("agent.a-1")
      let others = try await two.subscribe("agent.a-2")
      for connection in [director, monitor, one, two] { try await connection.flush() }
      try await director.publish("agent.a-1", Array("ping".utf8))
      try await director.publish("agent.a-2", Array("ping".utf8))
      #expect(try await requests.next()?.text == "ping")
      #expect(try await others.next()?.text == "ping")
      try await one.publish("director.uuid.a-1.request", Array("pong".utf8))
      #expect(try await replies.next()?.text == "pong")
      try await two.publish("hm.agent.heartbeat.a-2", Array("beat".utf8))
      #expect(try await beats.next()?.text == "beat")

      for (connection, subject) in [
        (one, "agent.a-2"), (one, "director.uuid.a-2.x"), (one, "hm.agent.alert.a-2"), (two, "agent.a-1"),
        (monitor, "agent.a-1"), (director, "hm.agent.alert.a-1"),
      ] {
        let events = connection.events()
        try await connection.publish(subject, [])
        let refused = await first(of: events) { event in
          if case .permissionError(.publish, let subject) = event { subject } else { nil as String? }
        }
        #expect(refused == subject)
      }
      for (connection, subject) in [
        (one, "agent.a-2"), (one, "agent.>"), (one, ">"), (one, "_INBOX.x"), (monitor, "director.>"),
        (director, "agent.a-1"),
      ] {
        let subscription = try await connection.subscribe(subject)
        let error = await #expect(throws: DroverError.self) { try await subscription.next() }
        #expect(error?.code == .forbidden)
        #expect(error?.message.contains(subject) == true)
      }
      try await director.publish("agent.a-1", Array("still".utf8))
      #expect(try await requests.next()?.text == "still", "a refusal leaves the connection alone")
      for connection in [director, monitor, one, two] { await connection.close() }
    }
  }

  @Test("refuses who is unknown, of another authority, or without a certificate")
  func strangers() async throws {
    try await Bench.run { bench in
      func reason(_ configuration: NATSConfiguration) async throws -> DroverError? {
        let connection = try NATSConnection(configuration, logger: quiet)
        let events = connection.events()
        await connection.start()
        let reason = await first(of: events) { event in
          switch event {
          case .disconnected(_, let reason): reason
          case .connected: DroverError(.conflict, "it was let in")
          default: nil
          }
        }
        await connection.close()
        return reason
      }
      let unknown = try await reason(bench.configuration(.agent("nobody")))
      #expect(unknown?.code == .forbidden)

      let stranger = CertificateAuthority(directory: "\(bench.directory)/other")
      let identity = try await stranger.issue(.director)
      var configuration = try await bench.configuration(.director)
      let ca = try #require(configuration.tls?.caPEM)
      configuration.tls = NATSTLS(certificatePEM: identity.certificatePEM, key: identity.key, caPEM: ca)
      #expect(try await reason(configuration)?.code == .unavailable)
      configuration.tls = NATSTLS(certificatePEM: nil, key: nil, caPEM: ca)
      #expect(try await reason(configuration)?.code == .unavailable)
      configuration.tls = nil
      #expect(try await reason(configuration)?.code == .invalid)
      configuration = try await bench.configuration(.director)
      configuration.tls?.caPEM = try await stranger.certificatePEM()
      let untrusted = try await reason(configuration)
      #expect(untrusted?.code == .unavailable)
      #expect(untrusted?.description.contains("CERTIFICATE_VERIFY_FAILED") == true, "\(String(describing: untrusted))")
    }
  }

  @Test("is not believed under a name that is not a NATS server's of BOSH")
  func serverName() async throws {
    let names = CertificateSubject(
      commonName: "evil.example", dnsNames: ["nats.bosh-internal", "a.b.nats.bosh-internal"],
      addresses: ["127.0.0.1"], usages: [.server])
    try await Bench.run(names: names) { bench in
      let connection = try NATSConnection(try await bench.configuration(.director), logger: quiet)
      let events = connection.events()
      await connection.start()
      let reason = await first(of: events) { if case .disconnected(_, let reason) = $0 { reason } else { nil } }
      #expect(reason?.code == .forbidden)
      #expect(reason?.message.contains("evil.example") == true)
      await connection.close()
      let byHost = try await bench.connect(.director) { $0.tls?.serverName = .host }
      await byHost.close()
    }
  }

  @Test("its log is renamed when it is large, no line of it is lost, and reloads are confirmed all the while")
  func rotating() async throws {
    try await Bench.run(logSize: 2000, logKeep: 1000) { bench in
      let (server, log) = (bench.server, "\(bench.directory)/nats/nats.log")
      let rotating = Task {
        while !Task.isCancelled {
          try await server.rotateLog()
          try await Task.sleep(for: .milliseconds(3))
        }
      }
      for index in 0..<60 { try await server.addAgent(AgentIdentity(agentID: "agent-\(index)")) }
      rotating.cancel()
      _ = await rotating.result
      var texts: [String] = []
      for number in (1...1000).reversed() { try Files.text("\(log).\(number)").map { texts.append($0) } }
      #expect(texts.count > 3)
      texts.append(try Files.text(log) ?? "")
      #expect(texts.allSatisfy { $0.hasSuffix("\n") && $0.utf8.count < 20_000 })
      let lines = texts.joined().split(separator: "\n")
      #expect(lines.count { $0.hasSuffix("Reloaded server configuration") } == 60)
      #expect(lines.allSatisfy { $0.hasPrefix("[") })
    }
  }

  @Test("of its renamed logs so many are kept; what somebody else renames, removes or cuts does not stop it")
  func loggingElsewhere() async throws {
    try await Bench.run(logSize: 1000, logKeep: 2) { bench in
      let (server, log) = (bench.server, "\(bench.directory)/nats/nats.log")
      for index in 0..<20 {
        try await server.addAgent(AgentIdentity(agentID: "agent-\(index)"))
        try await server.rotateLog()
      }
      let names = try Files.names(in: "\(bench.directory)/nats").filter { $0.hasPrefix("nats.log") }
      #expect(names.sorted() == ["nats.log", "nats.log.1", "nats.log.2"])
      #expect(rename(log, "\(log).moved") == 0)
      try await server.rotateLog()
      try await server.addAgent(AgentIdentity(agentID: "after-rename"))
      #expect(try Files.text(log)?.contains("Reloaded server configuration") == true)
      #expect(truncate(log, 0) == 0)
      try await server.addAgent(AgentIdentity(agentID: "after-truncate"))
      #expect(try Files.text(log)?.contains("Reloaded server configuration") == true)
      try Files.remove(log)
      try await server.rotateLog()
      try await server.addAgent(AgentIdentity(agentID: "after-removal"))
    }
  }

  @Test(
    "one that lost its log while nobody looked is taken over, and logs where it should",
    arguments: ["create", "nocreate"])
  func lostLog(_ how: String) async throws {
    try await Bench.run { bench in
      let log = "\(bench.directory)/nats/nats.log"
      for number in 0..<20 {
        #expect(rename(log, "\(log).moved") == 0)
        if how == "create" { try Files.replace(log, with: "") }
        let next = NATSServer(configuration: bench.server.configuration, logger: quiet)
        try await next.start()
        #expect(await next.processID == bench.server.processID)
        try await next.addAgent(AgentIdentity(agentID: "\(how)-\(number)"))
        #expect(try Files.text(log)?.contains("Reloaded server configuration") == true)
      }
    }
  }

  @Test("takes new agents in while the others stay connected, and drops those it forgets")
  func reloading() async throws {
    try await Bench.run { bench in
      let server = bench.server
      try await server.setAgents([AgentIdentity(agentID: "a-1"), AgentIdentity(agentID: "a-2")])
      let director = try await bench.connect(.director)
      let one = try await bench.connect(.agent("a-1"))
      let two = try await bench.connect(.agent("a-2"))
      let staying = [director.events(), two.events()]
      let replies = try await director.subscribe("director.>")
      try await director.flush()
      // Many at once share reloads; each may connect as soon as its own call returns.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<40 {
          group.addTask {
            let id = "new-\(index)"
            try await server.addAgent(AgentIdentity(agentID: id))
            guard index % 8 == 0 else { return }
            let agent = try await bench.connect(.agent(id)) { $0.maximumRounds = 1 }
            try await agent.publish("director.uuid.\(id).x", Array(id.utf8))
            try await agent.flush()
            await agent.close()
          }
        }
        try await group.waitForAll()
      }
      for _ in 0..<5 { #expect(try await replies.next()?.text.hasPrefix("new-") == true) }
      let subscription = try await one.subscribe("agent.a-1")
      try await one.flush()
      try await director.publish("agent.a-1", [1])
      #expect(try await subscription.next()?.payload == [1])

      let events = one.events()
      try await server.removeAgent(AgentIdentity(agentID: "a-1"))
      let refused = await first(of: events) { event in
        if case .disconnected(_, let reason) = event, reason.code == .forbidden { true } else { nil as Bool? }
      }
      #expect(refused == true, "it is cut off, and not let in again")
      #expect(await server.allowedAgents.count == 41)
      for connection in [director, two] { try await connection.flush() }
      for connection in [director, two] { await connection.close() }
      for events in staying { #expect(await losses(events) == 0, "a reload must not cut off those who may stay") }
      await one.close()
    }
  }

  @Test("is found again by the next process, with its agents and without cutting anybody off")
  func adopting() async throws {
    try await Bench.run { bench in
      try await bench.server.addAgent(AgentIdentity(agentID: "a-1"))
      let agent = try await bench.connect(.agent("a-1"))
      let events = agent.events()
      let pid = try #require(await bench.server.processID)

      for damage in ["", "rm \(bench.directory)/nats/process.json", "echo junk > \(bench.directory)/nats/process.json"]
      {
        system(damage)
        let next = NATSServer(configuration: bench.server.configuration, logger: quiet)
        try await next.start()
        #expect(await next.processID == pid)
        #expect(await next.allowedAgents == [try AgentIdentity(agentID: "a-1")])
      }
      try await agent.flush()
      await agent.close()
      #expect(await losses(events) == 0)

      // A port can't be changed by a reload.
      var moved = bench.server.configuration
      moved.port = try freePort()
      let next = NATSServer(configuration: moved, logger: quiet)
      try await next.start()
      #expect(await next.processID != pid)
      #expect(kill(pid_t(pid), 0) != 0)
      try await next.stop()
    }
  }

  @Test("does not mistake another process for its server")
  func recycledID() async throws {
    try await Bench.run { bench in
      let pid = try #require(await bench.server.processID)
      try await bench.server.stop()
      #expect(kill(pid_t(pid), 0) != 0)
      system("echo '{\"pid\":\(getpid()),\"started\":1}' > \(bench.directory)/nats/process.json")
      let next = NATSServer(configuration: bench.server.configuration, logger: quiet)
      try await next.start()
      #expect(await next.processID.map { $0 != Int(getpid()) } == true)
      try await next.stop()
    }
  }

  @Test("is started again when it dies, also one that was found, and connections come back")
  func restarting() async throws {
    try await Bench.run { bench in
      try await bench.server.addAgent(AgentIdentity(agentID: "a-1"))
      let adopted = NATSServer(configuration: bench.server.configuration, logger: quiet)
      try await adopted.start()
      let running = Task { try await adopted.run() }
      let director = try await bench.connect(.director)
      let agent = try await bench.connect(.agent("a-1"))
      let requests = try await agent.subscribe("agent.a-1")
      try await agent.flush()
      var killed = try #require(await adopted.processID)
      for round in 0..<3 {
        kill(pid_t(killed), SIGKILL)
        try await eventually("the server is started again") {
          await adopted.processID.map { $0 != killed } ?? false
        }
        killed = try #require(await adopted.processID)
        // Changes while it starts, and right after it died, must not be lost or kill it.
        try await adopted.addAgent(AgentIdentity(agentID: "late-\(round)"))
        try await agent.waitUntilConnected(.seconds(20))
        try await agent.flush()
        try await director.publish("agent.a-1", Array("\(round)".utf8))
        #expect(try await requests.next()?.text == "\(round)")
      }
      running.cancel()
      _ = try? await running.value
      #expect(kill(pid_t(killed), 0) == 0, "cancelling leaves the server running")
      await director.close()
      await agent.close()
    }
  }

  @Test("says why it does not start")
  func notStarting() async throws {
    try await Bench.run { bench in
      var taken = bench.server.configuration
      taken.directory = "\(bench.directory)/second"
      let occupied = await #expect(throws: DroverError.self) {
        try await NATSServer(configuration: taken, logger: quiet).start()
      }
      let port = "\(taken.address):\(taken.port)"
      #expect(
        occupied?.message.hasPrefix(
          "starting nats-server at nats://\(port): it ended at once: Error listening on port: \(port), "
            + "\"listen tcp \(port): bind: address already in use\"; another server listens there") == true,
        "\(String(describing: occupied))")
      taken.certificatePEM = "nonsense"
      taken.directory = "\(bench.directory)/third"
      let damaged = await #expect(throws: DroverError.self) {
        try await NATSServer(configuration: taken, logger: quiet).start()
      }
      #expect(damaged?.message.contains("X509") == true, "\(String(describing: damaged))")
      taken.executable = "no-such-nats-server"
      let missing = await #expect(throws: DroverError.self) {
        try await NATSServer(configuration: taken, logger: quiet).start()
      }
      let reason = "no-such-nats-server: it is not found in PATH"
      #expect(missing?.message.contains(reason) == true, "\(String(describing: missing))")
    }
  }

  @Test("keeps keys and the list of who may connect to its owner")
  func modes() async throws {
    try await Bench.run { bench in
      let check =
        "cd \(bench.directory)/nats && test $(stat -c %a . server.key authorization.json | tr '\\n' ' ' | sed 's/ //g') = 700600600"
      #expect(system(check) == 0)
    }
  }
}

/// How often a connection that is closed by now was lost before.
private func losses(_ events: AsyncStream<NATSEvent>) async -> Int {
  await events.filter { if case .disconnected = $0 { true } else { false } }.reduce(0) { count, _ in count + 1 }
}

@Suite("NATSAuthorization")
struct NATSAuthorizationTests {
  @Test("allows exactly what BOSH does")
  func text() throws {
    let text = NATSAuthorization.text(agents: [try AgentIdentity(agentID: "a-1")])
    let users = try #require(try JSON.parse(text)["users"]?.array)
    #expect(users.count == 3)
    #expect(
      users.last == [
        "user": "C=USA, O=Cloud Foundry, CN=a-1.agent.bosh-internal",
        "permissions": [
          "publish": [
            "allow": ["hm.agent.heartbeat.a-1", "hm.agent.alert.a-1", "hm.agent.shutdown.a-1", "director.*.a-1.*"]
          ],
          "subscribe": ["allow": ["agent.a-1"]],
        ],
      ])
  }

  @Test(
    "refuses agent ids that would mean something else in a subject",
    arguments: ["", "*", ">", "a.b", "a b", "a\"", "a\n", "ä"])
  func identifiers(id: String) {
    #expect(throws: DroverError.self) { try AgentIdentity(agentID: id) }
  }
}
