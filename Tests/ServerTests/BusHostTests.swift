import AgentProtocol
import Certificates
import Files
import Formats
import Glibc
import Logging
import Messaging
import Surroundings
import TestSupport
import Testing

@testable import Server

@Suite struct BusHostTests {
  @Test("Director and agents use a cluster of others, and go on when one of its servers is killed")
  func cluster() async throws {
    try await withTemporaryFolder { folder in
      let cluster = try await TestCluster(folder)
      let host = try await cluster.host()
      let identities = BusIdentities(host: host)
      let director = try await connect(host)
      let replies = try await director.subscribe("director.>")

      // The agent is with the other server, so what is said goes through the cluster.
      let settings = try await identities.issue("a-1")
      #expect(settings.urls == cluster.urls)
      let agent = try await connect(settings, urls: settings.urls.reversed())
      let requests = try await agent.subscribe("agent.a-1")
      for connection in [director, agent] { try await connection.flush() }
      func exchange(_ text: String) async throws {
        // Whoever has just come back may not have been heard of by the other server yet: until it is there.
        async let heard = requests.next()
        let asking = Task {
          while !Task.isCancelled {
            try await director.publish("agent.a-1", Array(text.utf8))
            try await Task.sleep(for: .milliseconds(50))
          }
        }
        var request = try await heard
        while let found = request, String(decoding: found.payload, as: UTF8.self) != text {
          request = try await requests.next()
        }
        asking.cancel()
        try await agent.publish("director.uuid.a-1.\(text)", Array(text.utf8))
        var reply = try await replies.next()
        while let found = reply, String(decoding: found.payload, as: UTF8.self) != text {
          reply = try await replies.next()
        }
        #expect(reply?.subject == "director.uuid.a-1.\(text)")
      }
      try await exchange("both")

      // A change of who may connect leaves those alone who are connected, also to different servers.
      _ = try await identities.issue("a-3")
      try await exchange("changed")

      let losses = director.events()
      cluster.nodes[0].process.kill()
      for await event in losses { if case .disconnected = event { break } }
      try await director.waitUntilConnected(.seconds(30))
      try await exchange("one")

      // Who may connect is still changed, and told to those servers that are left.
      let late = try await connect(try await identities.issue("a-2"))
      try await late.flush()
      let events = agent.events()
      try await identities.withdraw("a-1")
      for await event in events {
        if case .disconnected(_, let reason) = event, reason.code == .forbidden { break }
      }
      try await late.flush()
      for connection in [director, agent, late] { await connection.close() }

      // A server that is started again takes over what is in the file.
      let next = try await cluster.host()
      let kept = try #require(next.agents as? NATSAuthorizationFile)
      #expect(await kept.allowedAgents.map(\.agentID) == ["a-2", "a-3"])
    }
  }

  @Test("What is wrong with a cluster is said with the key or the path that it is about")
  func mistakes() async throws {
    try await withTemporaryFolder { folder in
      let authority = CertificateAuthority(directory: "\(folder)/own")
      func failure(_ change: String) async throws -> String {
        try writeTestFile("\(folder)/c.yml", "nats:\n  urls: [nats://127.0.0.1:\(try freePort())]\n" + change)
        let cluster = try #require(try ServerConfiguration.load(file: "\(folder)/c.yml", flags: [:]).cluster)
        let error = await #expect(throws: DroverError.self) {
          let host = try await BusHost.cluster(
            cluster, StateFiles(directory: folder), authority, surroundings: .system)
          _ = try await host.connect(
            name: "drover", within: .milliseconds(200), surroundings: .system, logger: quiet)
        }
        return error?.description ?? ""
      }
      let unreached = try await failure("")
      #expect(unreached.contains("connecting to NATS at 127.0.0.1:"), "\(unreached)")
      #expect(unreached.contains("refused"), "\(unreached)")
      let missing = try await failure("  ca: \(folder)/none.crt\n")
      #expect(missing.contains("configuration nats.ca: reading \(folder)/none.crt: No such file"), "\(missing)")
      let issuer = try await failure("  issuer: {certificate: \(folder)/i.crt, key: \(folder)/i.key}\n")
      #expect(issuer.contains("configuration nats.issuer: "), "\(issuer)")
      #expect(issuer.contains("\(folder)/i.crt"), "\(issuer)")
      let unwritable = try await failure("  authorization_file: \(folder)/none/a.json\n")
      #expect(unwritable.contains("the NATS authorization file \(folder)/none/a.json: creating"), "\(unwritable)")
      let reload = try await failure(
        "  authorization_file: \(folder)/a.json\n  reload_command: 'echo one; echo two >&2; exit 3'\n")
      #expect(
        reload.contains("after a change of \(folder)/a.json: it exited with 3: one; two"), "\(reload)")
      try writeTestFile("\(folder)/b.json", "authorization { user: admin }\n")
      let foreign = try await failure("  authorization_file: \(folder)/b.json\n")
      #expect(foreign.contains("holds something that was not written here"), "\(foreign)")
      #expect(try Files.text("\(folder)/b.json") == "authorization { user: admin }\n")
    }
  }

  private func connect(_ host: BusHost) async throws -> NATSConnection {
    try await host.connect(name: "drover", surroundings: .system, logger: quiet)
  }

  private func connect(_ settings: BusSettings, urls: [String]? = nil) async throws -> NATSConnection {
    let certificate = try #require(settings.certificate)
    var configuration = NATSConfiguration(
      urls: urls ?? settings.urls,
      tls: NATSTLS(
        certificatePEM: certificate.certificate, key: Secret(certificate.privateKey), caPEM: certificate.ca))
    configuration.reconnectDelay = { _ in .milliseconds(50) }
    let connection = try NATSConnection(configuration, logger: quiet)
    await connection.start()
    try await connection.waitUntilConnected(.seconds(30))
    return connection
  }
}

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Two servers that are nothing of droverd's: other certificates, another authority for agents, a file for ours.
private struct TestCluster {
  struct Node {
    let process: TestProcess
    let url: String
  }

  let folder: String
  let nodes: [Node]

  var urls: [String] { nodes.map(\.url) }

  init(_ folder: String) async throws {
    self.folder = folder
    let servers = CertificateAuthority(directory: "\(folder)/servers")
    _ = try await servers.identity(named: "node", .natsServer(addresses: ["127.0.0.1"]))
    _ = try await CertificateAuthority(directory: "\(folder)/agents").certificatePEM()
    try writeTestFile("\(folder)/drover.json", "")
    let ports = try (0..<4).map { _ in try freePort() }
    nodes = try (0..<2).map { index in
      let path = "\(folder)/node\(index)"
      try writeTestFile(
        "\(path).conf",
        """
        server_name: "node\(index)"
        listen: "127.0.0.1:\(ports[index])"
        pid_file: "\(path).pid"
        log_file: "\(path).log"
        tls {
          cert_file: "\(folder)/servers/node.crt"
          key_file: "\(folder)/servers/node.key"
          ca_file: "\(folder)/agents/ca.crt"
          verify_and_map: true
        }
        cluster {
          name: "theirs"
          listen: "127.0.0.1:\(ports[2 + index])"
          routes: ["nats://127.0.0.1:\(ports[3 - index])"]
        }
        authorization { include "drover.json" }

        """)
      return Node(
        process: try TestProcess(path: "/usr/sbin/nats-server", ["-c", "\(path).conf"]),
        url: "nats://127.0.0.1:\(ports[index])")
    }
    for index in 0..<2 { try await waitFor("Server is ready", in: "\(folder)/node\(index).log") }
    try writeTestFile(
      "\(folder)/reload", "for f in \(folder)/node*.pid; do kill -HUP $(cat $f) 2>/dev/null || true; done\n")
  }

  /// As droverd makes it from its configuration file.
  func host() async throws -> BusHost {
    try writeTestFile(
      "\(folder)/droverd.yml",
      """
      nats:
        urls: \(JSON.text(Value(urls)))
        ca: \(folder)/servers/ca.crt
        issuer: {certificate: \(folder)/agents/ca.crt, key: \(folder)/agents/ca.key}
        authorization_file: \(folder)/drover.json
        reload_command: sh \(folder)/reload

      """)
    let cluster = try #require(try ServerConfiguration.load(file: "\(folder)/droverd.yml", flags: [:]).cluster)
    return try await BusHost.cluster(
      cluster, StateFiles(directory: folder), CertificateAuthority(directory: "\(folder)/own"), surroundings: .system)
  }

  private func waitFor(_ text: String, in log: String) async throws {
    for _ in 0..<1000 {
      if let found = try? Files.text(log), found.contains(text) { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("the test's NATS server does not start: \((try? Files.text(log)) ?? "no log")")
  }
}
