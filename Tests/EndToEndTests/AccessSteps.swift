import Files
import Formats
import Glibc
import Processes
import Testing

/// People on the VMs of the demo: logging in, copying, logs, and changing instances; by `drover`, and by the stock CLI
/// where there is one.
struct AccessSteps: Sendable {
  let server: ServerUnderTest

  func run() async throws {
    guard access("/usr/bin/ssh", X_OK) == 0 else {
      return print("ssh, scp and following logs are not tested: there is no /usr/bin/ssh (openssh-client)")
    }
    try await shell()
    try await copies()
    try await logs()
    try await states()
    try await stock()
  }

  private func shell() async throws {
    let root = try await server.drover("ssh", "-d", "redis", "redis/0", "-c", "sudo id -u; hostname >&2")
    #expect(root.text == "0\n", "\(root.lastErrorLines(20))")
    #expect(root.succeeded)
    #expect(try await server.drover("ssh", "-d", "redis", "redis/0", "-c", "exit 7").ending == .exited(7))
    let both = try await server.drover("ssh", "-d", "redis", "redis", "-c", "echo here")
    #expect(both.text.split(separator: "\n").filter { $0.hasSuffix(": here") }.count == 2, "\(both.text)")
    let none = try await server.drover("ssh", "-d", "redis", "nobody/0", "-c", "true")
    #expect(none.lastErrorLines().contains("Instance group 'nobody' doesn't exist"))
    // Sessions' users are gone with them: this one sees no other.
    let users = "grep -c ^bosh_ /etc/passwd"
    for _ in 0..<50 {
      if try await server.drover("ssh", "-d", "redis", "redis/0", "-c", users).text == "1\n" { return }
      try await Task.sleep(for: .milliseconds(200))
    }
    Issue.record("users of sessions are left in /etc/passwd")
  }

  private func copies() async throws {
    let file = "\(server.folder)/note"
    try Files.replace(file, with: Array("hello\n".utf8))
    let there = try await server.drover("scp", "-d", "redis", file, "redis/0:/tmp/note")
    #expect(there.succeeded, "\(there.lastErrorLines())")
    let back = try await server.drover("scp", "-d", "redis", "redis/0:/tmp/note", "\(file)-((instance_id))")
    #expect(back.succeeded, "\(back.lastErrorLines())")
    let copies = try Files.names(in: server.folder).filter { $0.hasPrefix("note-") }
    #expect(try copies.map { try Files.read("\(server.folder)/\($0)") } == [Array("hello\n".utf8)])
  }

  private func logs() async throws {
    let one = try await server.drover("logs", "-d", "redis", "redis/0", "--dir", server.folder, "--all-logs")
    try #require(one.succeeded, "\(one.lastErrorLines(20))")
    let names = try await Command("tar", "tzf", one.text.split(separator: "\n").joined()).run().text
    #expect(names.contains("/redis/") && names.contains("/current") && names.contains("/var/log/"), "\(names)")
    let all = try await server.drover("logs", "-d", "redis", "redis", "--dir", server.folder)
    let archives = try await Command("tar", "tzf", all.text.split(separator: "\n").joined()).run().text
    #expect(archives.split(separator: "\n").filter { $0.contains("redis.") && $0.hasSuffix(".tgz") }.count == 2)
  }

  private func states() async throws {
    for (verb, state) in [("stop", "stopped"), ("start", "running"), ("restart", "running"), ("recreate", "running")] {
      let result = try await server.drover(verb, "-n", "-d", "redis", "redis/0")
      #expect(result.succeeded, "\(verb): \(result.lastErrorLines(20))")
      let rows = try JSON.parse(try await server.drover("instances", "-d", "redis", "--json").output).array ?? []
      let states = rows.compactMap { $0["process_state"]?.string }.sorted()
      #expect(states.filter { $0 != "-" } == ["running", state].sorted(), "\(verb): \(rows)")
    }
  }

  /// The stock CLI, if `BOSH_CLI` names one.
  private func stock() async throws {
    guard let bosh = StockCommandLine(server, deployment: "redis") else { return }
    let ssh = try await bosh.run("ssh", "redis/0", "-c", "sudo id -u")
    #expect(ssh.succeeded && ssh.text.contains("stdout | 0"), "\(ssh.text) \(ssh.lastErrorLines())")
    let copy = try await bosh.run("scp", "redis/0:/etc/hostname", "\(server.folder)/hostname")
    #expect(try copy.succeeded && Files.exists("\(server.folder)/hostname"), "\(copy.text) \(copy.lastErrorLines())")
    let folder = "\(server.folder)/stock"
    try Files.makeFolder(folder)
    let logs = try await bosh.run("logs", "redis/0", "--dir", folder, "--only", "redis/**/*")
    let files = try Files.names(in: folder)
    #expect(logs.succeeded && files.count == 1 && files[0].hasSuffix(".tgz"), "\(files): \(logs.lastErrorLines())")
    let restart = try await bosh.run("restart", "redis/0", "--no-converge")
    #expect(restart.succeeded, "\(restart.text) \(restart.lastErrorLines())")
    let again = try await bosh.run("restart", "redis")
    #expect(again.succeeded, "\(again.text) \(again.lastErrorLines())")
  }
}
