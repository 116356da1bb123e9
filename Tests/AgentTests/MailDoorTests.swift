import AgentProtocol
import Files
import Formats
import Logging
import Messaging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

private let monit: String? = {
  let found = ["/usr/bin/monit", "/usr/sbin/monit"].first(where: Files.isVisible)
  if found == nil { print("MailDoorTests: left out in part, since they need monit") }
  return found
}()

@Suite(.timeLimit(.minutes(10))) struct MailDoorTests {
  /// As monit 5.2.5 writes it.
  private static let mail = """
    From: monit@localhost\r
    To: agent@local\r
    Subject: Monit Alert\r
    Date: Sat, 21 Nov 2026 09:23:05 +0000\r
    X-Mailer: monit 5.2.5\r
    Message-id: <1795252984.1102830099@agent-lab-1>\r
    \r
    Service: web\r
    Event: Does not exist\r
    Action: restart\r
    Date: Sat, 21 Nov 2026 09:23:04 +0000\r
    Description: process is not running\r
    .\r

    """

  /// A door with its port, and what it tells the health monitor.
  private static func with(
    change: (inout MailDoor) -> Void = { _ in }, _ body: (Int, MessageSubscription) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try TestAgent.prepare(folder)
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      let layout = VMLayout(base: "\(folder)/vcap")
      let settings = try await SettingsStore(
        AgentConfiguration.load(layout.agentConfiguration), layout: layout, logger: logger)
      let bus = MemoryBus()
      let alerts = try await bus.subscribe(AgentSubjects.allAlerts)
      let port = try freePort()
      var door = MailDoor(
        agentID: TestAgent.id, settings: settings,
        publisher: HealthPublisher(agentID: TestAgent.id, bus: bus, logger: logger), port: port,
        surroundings: .system, logger: logger)
      change(&door)
      let running = Task { [door] in await door.run() }
      defer { running.cancel() }
      for _ in 0..<500 {
        if (try? RawSocket(port: port)) != nil { break }
        try await Task.sleep(for: .milliseconds(10))
      }
      try await body(port, alerts)
      running.cancel()
      await running.value
    }
  }

  private static func deliver(_ client: RawSocket, _ mail: String = mail) async throws -> [String] {
    var answers = [try await client.receive(until: "\n")]
    for line in ["HELO localhost", "MAIL FROM: <monit@localhost>", "RCPT TO: <agent@local>", "DATA"] {
      try await client.send("\(line)\r\n")
      answers.append(try await client.receive(until: "\n"))
    }
    try await client.send(mail)
    answers.append(try await client.receive(until: "\n"))
    return answers.map { String($0.prefix(3)) }
  }

  @Test("a mail of monit becomes an alert of the shape that the health monitor knows")
  func mail() async throws {
    try await Self.with { port, alerts in
      let client = try RawSocket(port: port)
      #expect(try await Self.deliver(client) == ["220", "250", "250", "250", "354", "250"])
      let message = try #require(await alerts.next())
      #expect(message.subject == "hm.agent.alert.agent-1")
      #expect(
        try JSON.parse(message.payload)
          == [
            "id": "1795252984.1102830099@agent-lab-1", "severity": 1,
            "title": "web (10.0.0.9) - Does not exist - restart", "summary": "process is not running",
            "created_at": 1_795_252_984,
          ])
      // A second mail on the same connection, and the end.
      try await client.send("MAIL FROM:<m>\r\nRCPT TO:<a>\r\nDATA\r\nService: db\r\nEvent: Timeout\r\n.\r\nQUIT\r\n")
      let rest = try await client.receive()
      #expect(rest.split(whereSeparator: \.isNewline).map { $0.prefix(3) } == ["250", "250", "354", "250", "221"])
      let second = try Alert(JSON.parse(try #require(await alerts.next()).payload))
      #expect(second.severity == 2 && second.title == "db (10.0.0.9) - Timeout - " && !second.id.isEmpty)
    }
  }

  @Test("a real monit's mail is one", .enabled(if: monit != nil))
  func realMonit() async throws {
    let program = try #require(monit)
    try await Self.with { port, alerts in
      try await withTemporaryFolder { folder in
        let configuration = """
          set daemon 1
          set pidfile \(folder)/pid
          set idfile \(folder)/id
          set statefile \(folder)/state
          set alert agent@local
          set mailserver localhost port \(port)
            with timeout 15 seconds
          set mail-format {
            from: monit@localhost
            subject: Monit Alert
            message: Service: $SERVICE
            Event: $EVENT
            Action: $ACTION
            Date: $DATE
            Description: $DESCRIPTION
          }
          check file web with path \(folder)/no-such-file

          """
        try writeTestFile("\(folder)/monitrc", configuration, mode: 0o600)
        let process = try TestProcess(path: program, ["-I", "-c", "\(folder)/monitrc"])
        defer { process.kill() }
        // It also tells that it has started, which is nothing for the health monitor.
        let alert = try Alert(JSON.parse(try #require(await alerts.next()).payload))
        #expect(alert.severity == 1 && alert.title.hasPrefix("web (10.0.0.9) - Does not exist - "), "\(alert)")
        #expect(!alert.summary.isEmpty && !alert.id.isEmpty)
        #expect(abs(alert.createdAt - Surroundings.system.now().seconds) < 3600)
      }
    }
  }

  @Test("what is no SMTP gets no answer, and what is too much an end; the door stays open for others")
  func hostile() async throws {
    try await Self.with { port, alerts in
      let hello = String(SMTPSession.greeting.prefix { $0 != "\r\n" })
      for text in ["GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n", String(repeating: "x", count: 100_000)] {
        let client = try RawSocket(port: port)
        try await client.send(text)
        let answer = try await client.receive()
        // Bytes that nobody read may make the system forget the greeting as well.
        #expect(answer.isEmpty || answer == "\(hello)\r\n", "\(text.prefix(20))")
      }
      let long = try RawSocket(port: port)
      try await long.send("HELO x\r\nMAIL FROM:<m>\r\nRCPT TO:<a>\r\nDATA\r\n")
      _ = try await long.receive(until: "354")
      for _ in 0..<1000 where try await !long.send(String(repeating: "y", count: 1000) + "\r\n") { break }
      #expect(try await !long.receive().contains("250 ok\r\n250"))
      let endless = try RawSocket(port: port)
      try await endless.send(String(repeating: "HELO x\r\n", count: 200))
      let answers = try await endless.receive()
      #expect(answers.count(of: "250 localhost") <= SMTPSession.maximumCommands)
      #expect(try await Self.deliver(RawSocket(port: port)).last == "250")
      #expect(try await alerts.next() != nil)
    }
  }

  @Test("connections, their time and the number of alerts have limits")
  func limits() async throws {
    try await Self.with {
      $0.maximumConnections = 2
      $0.alertsPerMinute = 1
    } _: { port, _ in
      // The connection that found the door open may still count.
      var inside: [RawSocket] = []
      while inside.count < 2 {
        let client = try RawSocket(port: port)
        if try await client.receive(until: "\n").hasPrefix("220") { inside.append(client) }
      }
      let third = try RawSocket(port: port)
      #expect(try await third.receive() == "421 too many connections\r\n")
      inside = []
      try await waitFor("250") { try? await Self.deliver(RawSocket(port: port)).last }
      try await waitFor("451") { try? await Self.deliver(RawSocket(port: port)).last }
    }
    try await Self.with {
      $0.timeLimit = .milliseconds(300)
    } _: { port, _ in
      // It says nothing, and is closed.
      let silent = try RawSocket(port: port)
      #expect(try await silent.receive() == SMTPSession.greeting)
    }
  }

  @Test(
    "a session answers each command in its place",
    arguments: [
      (["HELO a", "DATA"], ["250 localhost", "503 not now"]),
      (["EHLO a", "RCPT TO:<x>"], ["250 localhost", "503 not now"]),
      (["HELO a", "VRFY root"], ["250 localhost", "502 unknown command"]),
      (["HELO a", "MAIL FROM:<x>", "RSET", "RCPT TO:<x>"], ["250 localhost", "250 ok", "250 ok", "503 not now"]),
      (["QUIT"], ["221 bye"]), (["AUTH PLAIN"], []),
    ])
  func commands(lines: [String], answers: [String]) {
    var session = SMTPSession()
    let outputs = lines.flatMap { session.receive("\($0)\n".utf8) }
    #expect(outputs.filter { $0 != .close } == answers.map { .reply("\($0)\r\n") })
  }

  @Test("a mail's text is taken piece by piece, without the dots that SMTP adds")
  func pieces() {
    var session = SMTPSession()
    var mails: [MonitMail] = []
    let text = "HELO a\nMAIL FROM:<a>\nRCPT TO:<b>\nDATA\nService: a b\n..\nEvent:  Size failed \nAction: alert\n.\n"
    for byte in text.utf8 {
      for case .mail(let mail) in session.receive([byte]) { mails.append(mail) }
    }
    #expect(mails == [MonitMail(service: "a b", event: "Size failed", action: "alert")])
  }

  @Test("mails about what is well again are no alerts, and a mail needs neither id nor date")
  func alerts() {
    func alert(_ event: String, date: String = "") -> Alert? {
      MonitMail(service: "w", event: event, action: "alert", date: date)
        .alert(addresses: [], fallbackID: "f", now: Timestamp(seconds: 7))
    }
    for event in ["Exists", "Connection succeeded", "Timeout recovery", "Content match", "Action done"] {
      #expect(alert(event) == nil, "\(event)")
    }
    #expect(alert("Surprise")?.severity == 2)
    #expect(alert("Size failed")?.id == "f" && alert("Size failed")?.createdAt == 7)
    #expect(alert("Size failed", date: "Thu, 01 Jan 1970 01:30:00 +0100")?.createdAt == 1800)
    #expect(MonitMail().alert(addresses: [], fallbackID: "f", now: Timestamp(seconds: 7)) == nil)
  }

  @Test(
    "dates of mails",
    arguments: [
      ("Sat, 21 Nov 2026 09:23:04 +0000", 1_795_252_984), ("Thu, 29 Feb 2024 23:59:59 -0130", 1_709_256_599),
      ("Sat, 21 Nov 2026", nil), ("Sat, 21 Foo 2026 09:23:04 +0000", nil), ("Sat, 21 Nov 2026 9:23 +0000", nil),
      ("Sat, 99 Nov 2026 09:23:04 +0000", nil), ("", nil),
    ] as [(String, Int?)])
  func dates(text: String, seconds: Int?) { #expect(MailDate.seconds(text) == seconds) }
}

extension String {
  fileprivate func count(of text: String) -> Int { ranges(of: text).count }
}
