import Files
import Formats
import Glibc
import Processes
import Surroundings
import Synchronization
import TestSupport

@testable import BPM

/// A BOSH root of a test, with real containers that do not outlive it.
struct ContainerFixture {
  /// Whether containers can be started here; prints why not.
  static let isPossible = HostAbilities.has(.containers, for: "tests with containers")

  let root: String
  let setup: BPMSetup

  /// Calls with a root of its own, and ends everything that was started in it.
  static func use(_ body: (ContainerFixture) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      chmod(folder, 0o755)
      let fixture = ContainerFixture(
        root: folder, setup: BPMSetup(root: folder, user: .init(name: "vcap", uid: 1000, gid: 1000)))
      do {
        for path in ["packages", "data/packages", "jobs"] { try Files.makeFolder("\(folder)/\(path)") }
        try await body(fixture)
      } catch {
        await fixture.end()
        throw error
      }
      await fixture.end()
    }
  }

  private func end() async {
    for id in (try? setup.observer.ids()) ?? [] {
      let command = ["runc", "--root", setup.runcRoot, "delete", "--force", id]
      _ = try? await Command(command).result()
    }
  }

  func configure(_ job: String, _ processes: String) throws {
    try Files.makeFolder("\(root)/jobs/\(job)/config")
    try writeTestFile("\(root)/jobs/\(job)/config/bpm.yml", "processes:\n\(processes)", mode: 0o644)
  }

  func lifecycle(_ job: String, _ process: String? = nil) throws -> Lifecycle {
    try Lifecycle(setup, job: job, process: process ?? job)
  }

  func log(_ job: String) -> String { Files.textIfPresent("\(root)/sys/log/\(job)/bpm.log") ?? "" }

  func text(_ path: String) -> String { Files.textIfPresent("\(root)/\(path)") ?? "" }

  /// Runs a command line of bpm.
  func bpm(_ words: String...) async -> (status: Int32, output: String, errors: String) {
    let said = Said()
    let terminal = Terminal(write: { said.add($0, 0) }, complain: { said.add($0, 1) })
    let status = await BPMProgram(setup: setup, terminal: terminal).run(words)
    return (status, said.text(0), said.text(1))
  }

  private final class Said: Sendable {
    private let texts = Mutex(["", ""])
    func add(_ text: String, _ stream: Int) { texts.withLock { $0[stream] += text } }
    func text(_ stream: Int) -> String { texts.withLock { $0[stream] } }
  }
}

extension ContainerFixture {
  /// Starts the program itself, where the user vcap is there: in a mount namespace with an /etc/passwd of its own.
  func program(_ words: String...) throws -> ChildProcess {
    try program { "exec \($0) \(words.joined(separator: " "))" }
  }

  /// Runs a shell's command line that is made of the program's path.
  func program(input: Int32? = nil, _ command: (_ bpm: String) -> String) throws -> ChildProcess {
    let passwd = "\(root)/passwd"
    let line = "vcap:x:1000:1000::/home/vcap:/bin/sh\n"
    try Files.replace(passwd, with: Array(((Files.textIfPresent("/etc/passwd") ?? "") + line).utf8), mode: 0o644)
    let script = "mount --bind \(passwd) /etc/passwd && \(command(TestProcess.path(of: "bpm")))"
    return try ChildProcess(
      ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
      environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BPM_BOSH_ROOT": root], input: input)
  }

  static let sleeper = "- name: web\n  executable: /bin/sleep\n  args: [1000]\n"

  /// Waits until something holds.
  func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<3000 {
      if try await condition() { return true }
      try await setup.surroundings.sleep(.milliseconds(20))
    }
    return false
  }
}
