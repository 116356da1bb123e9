import AgentProtocol
import Files
import Formats
import Glibc
import Messaging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(10))) struct AuditLogTests {
  @Test("what is asked over the bus is a line in the machine's log, also what was asked before there was one")
  func bus() async throws {
    try await TestAgent.with { test in
      // The first pings came while nobody took the lines.
      try Files.makeFolder("\(test.root)/dev")
      let log = try DatagramSocket(path: "\(test.root)/dev/log")
      var lines: [String] = []
      func line(_ part: String) async throws -> String {
        if let found = lines.first(where: { $0.contains(part) }) { return found }
        while true {
          let next = try await log.next()
          if next.isEmpty || next.contains(part) { return next }
          lines.append(next)
        }
      }
      let ping = try await line("|ping|1|")
      #expect(ping.hasPrefix("<7>") && ping.hasSuffix("\n"))
      #expect(
        ping.contains(" vcap.agent[\(getpid())]: CEF:0|CloudFoundry|BOSH|1|agent_api|ping|1|duser=director.test."))
      #expect(ping.contains(" src=127.0.0.1 spt=4222 shost=\(Accounts.hostName())"))
      _ = try await test.failure("no_such\nCEF:0|x")
      #expect(try await line("no_such").contains("|no_such\\nCEF:0\\|x|1|duser="))
      try await test.bus.publish("agent.agent-1", Array("{nonsense".utf8))
      let bad = try await line("agent_api||7|")
      #expect(bad.hasPrefix("<3>") && bad.contains("cs1=") && bad.hasSuffix(" cs1Label=statusReason\n"))
      // Secrets of messages are no matter of this log.
      #expect(!lines.joined().contains("geheim"))
    }
  }

  @Test("without anybody who takes lines only so many are kept, and a log that comes back gets the next ones")
  func limits() async throws {
    try await withTemporaryFolder { folder in
      let log = AuditLog(path: "\(folder)/log", surroundings: .system, hostName: { "h" })
      for number in 0..<(AuditLog.maximumKept * 3) { log.write(Self.event("m\(number)")) }
      let running = Task { try? await log.run() }
      defer { running.cancel() }
      var socket = try DatagramSocket(path: "\(folder)/log")
      for number in 0..<AuditLog.maximumKept {
        #expect(try await socket.next().contains("|m\(number)|1|"))
      }
      log.write(Self.event("next"))
      #expect(try await socket.next().contains("|next|"))
      try Files.remove("\(folder)/log")
      socket = try DatagramSocket(path: "\(folder)/log")
      // More than once: a process that is being forked may hold the old socket for a moment, and what it gets is lost.
      let writing = Task {
        while !Task.isCancelled {
          log.write(Self.event("again"))
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      defer { writing.cancel() }
      #expect(try await socket.next().contains("|again|"))
    }
  }

  private static func event(_ method: String) -> AuditEvent {
    .message(method: method, replyTo: "r", server: ("10.0.0.6", 4222), failure: nil)
  }

  @Test("lines have the shape that BOSH's agent gives them, and nothing that was sent can look like a part of them")
  func lines() {
    #expect(
      Self.event("ping").line(hostName: "vm-1")
        == "CEF:0|CloudFoundry|BOSH|1|agent_api|ping|1|duser=r src=10.0.0.6 spt=4222 shost=vm-1")
    let failed = AuditEvent.message(
      method: "a|b\\", replyTo: nil, server: ("n", 1), failure: "x=y\r\nz\u{1}")
    #expect(
      failed.line(hostName: "h")
        == "CEF:0|CloudFoundry|BOSH|1|agent_api|a\\|b\\\\|7|duser= src=n spt=1 shost=h cs1=x\\=y\\nz  cs1Label=statusReason"
    )
    let long = AuditEvent.message(
      method: String(repeating: "m", count: 100_000), replyTo: nil, server: ("n", 1), failure: nil)
    #expect(long.line(hostName: "h").utf8.count < 1200)
    var dated = Self.event("ping")
    dated.time = 1_795_252_984
    let packet = AuditLog.packet(dated, hostName: "h", process: 12)
    #expect(packet.hasPrefix("<7>Nov 21 ") && packet.contains(" vcap.agent[12]: CEF:0|"))
  }

  @Test(
    "the first server of the bus is named as the source",
    arguments: [
      ("nats://10.0.0.6:4223", "10.0.0.6", 4223), ("nats://u:p@nats.internal", "nats.internal", 4222),
      ("tls://[fd00::1]:4224/x", "fd00::1", 4224),
    ])
  func servers(url: String, host: String, port: Int) throws {
    let server = try #require(BusConnections.server(url))
    #expect(server.host == host && server.port == port)
  }
}
