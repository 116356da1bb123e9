import Formats
import Glibc
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Supervision

@Suite(.timeLimit(.minutes(10))) struct ProcessSearchTests {
  @Test(
    "takes what matches, but neither the service's own scripts nor the monit command",
    arguments: [
      (["/usr/sbin/rpcbind", "-w"], true), (["rpcbind"], true), (["/bin/cat"], false), ([], false),
      (["/bin/bash", "/j/rpcbind_ctl", "start"], false), (["/bin/bash", "-e", "/j/rpcbind_ctl", "stop"], false),
      (["/bin/bash", "/j/rpcbind_ctl", "status"], true), (["monit", "start", "rpcbind"], false),
      (["/usr/bin/monit", "summary"], false),
    ])
  func candidates(_ arguments: [String], _ isMeant: Bool) throws {
    let definition = ServiceDefinition(
      name: "rpcbind", kind: .processMatching(pattern: "rpcbind"), start: ServiceProgram(["/j/rpcbind_ctl", "start"]),
      stop: ServiceProgram(["/j/rpcbind_ctl", "stop"]))
    #expect(try ProcessSearch(RegularExpression("rpcbind"), definition).isMeant(arguments) == isMeant)
  }

  @Test("a regular expression is an extended one of POSIX, and a wrong one says what is wrong")
  func expressions() throws {
    #expect(try RegularExpression("^a(b|c)+$").first(of: ["x", "abd", "acb"]) { $0 } == "acb")
    #expect(try RegularExpression("2..").end(in: Array("\0 200 OK".utf8)) == 5)
    #expect(try RegularExpression("2..").end(in: Array("20".utf8)) == nil)
    #expect(throws: DroverError.self) { try RegularExpression("a(b") }
  }

  @Test("a process that is known by its command line is started, started again, adopted and stopped")
  func life() async throws {
    try await FakeVM.with { vm in
      // Its scripts have the name of the process in their own command lines, as real ones have.
      let name = "seeker\(UInt32.random(in: 1...4_000_000_000))"
      guard symlink("/bin/sleep", "\(vm.folder)/\(name)") == 0 else { throw systemError("linking") }
      var service = try vm.service(
        name, start: "sleep 0.2; setsid \(vm.folder)/\(name) 1000 & sleep 0.1; echo $! > \(vm.pidfile(name))")
      service.kind = .processMatching(pattern: name)
      var supervisor = try vm.supervisor()
      try await supervisor.load([service])
      try await supervisor.start(name)
      try await until { vm.process(name) != nil }
      let first = try #require(vm.process(name))
      try await until { await supervisor.status().first?.pid == first.pid }
      try first.signal(SIGKILL)
      // One look: the script empties the pidfile before it writes into it.
      var found: ProcessIdentity?
      try await until {
        found = vm.process(name)
        return found != nil && found != first
      }
      let second = try #require(found)
      try await until { await supervisor.status().first?.pid == second.pid }
      #expect(await supervisor.jobState() == .running)
      await supervisor.close()
      supervisor = try vm.supervisor()
      try await supervisor.load([service])
      try await until { await supervisor.status().first?.pid == second.pid }
      try await supervisor.stop(name)
      #expect(!second.isAlive && vm.events == ["start", "start", "stop"].map { "\($0) \(name)" })
      await supervisor.close()
    }
  }

  @Test(
    "a test speaks and listens by turns",
    arguments: [
      ("send \"PING\\r\\n\" expect \"^PONG\"", "failed protocol test"),
      ("expect \"HELLO [0-9]+\\r\\n\" send \"PING\\r\\n\" expect \"^PONG\"", nil),
      ("expect \"HELLO\" send \"other\\n\" expect \"PONG\"", "the answer is \" 7\\r\\nNO\\r\\n\""),
    ] as [(String, String?)])
  func conversation(_ text: String, _ failure: String?) async throws {
    let script = """
      import socket
      server = socket.create_server(("127.0.0.1", 0))
      print(server.getsockname()[1], flush=True)
      while True:
          client, _ = server.accept()
          client.sendall(b"HELLO 7\\r\\n")
          line = client.makefile().readline()
          client.sendall(b"PONG\\r\\n" if line.strip() == "PING" else b"NO\\r\\n")
          client.close()
      """
    let server = try TestProcess(path: "/usr/bin/python3", ["-c", script])
    defer { server.kill() }
    let port = try #require(server.read(lines: 1).first)
    let definition = try #require(
      ControlFile.parse("check process x pidfile /p if failed port \(port) \(text) then alert", file: "f").first)
    let probe = ServiceProbe(
      definition, machine: MachineReadings(surroundings: .system), surroundings: .system)
    let outcome = try #require(await probe.look(nil).first)
    guard let failure else {
      #expect(outcome == .passed)
      return
    }
    guard case .failed(let found) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(found.contains(failure), "\(found)")
  }
}
