import Files
import Formats
import Glibc
import Processes
import Testing

/// A release that starts its process by bpm, on a VM: containers in a container.
@Suite(.enabled(if: IsolatedProcess.isPossible), .serialized)
struct IsolatedProcessTests {
  @Test("A job that colocates bpm is deployed, restarted and stopped, its process in a container of its own")
  func colocated() async throws {
    try await ServerUnderTest.with(place: 3) { server in
      let bpm = "\(server.folder)/bpm.tgz"
      try await server.succeed("build-bpm-release", "--bpm", IsolatedProcess.program, "--tarball", bpm)
      try await server.prepare(release: "ticker")
      try await server.succeed("upload-release", bpm)
      try await server.succeed("deploy", "-n", server.manifest("ticker"))

      let list = try await server.drover(
        "ssh", "-d", "ticker", "ticker/0", "-c", "sudo /var/vcap/jobs/bpm/bin/bpm list")
      #expect(list.text.contains("running"), "\(list.text) \(list.lastErrorLines())")
      let log = "sudo head -1 /var/vcap/sys/log/ticker/ticker.stdout.log"
      let said = try await server.drover("ssh", "-d", "ticker", "ticker/0", "-c", log)
      // tini, the script, and what it looks with.
      #expect(said.text.contains("tick as vcap, "), "\(said.text) \(said.lastErrorLines())")
      try await server.succeed("restart", "-n", "-d", "ticker", "ticker/0")
      try await server.succeed(
        "deploy", "-n",
        server.manifest(
          "ticker",
          changing: [
            (
              "  - name: ticker\n    release: ticker\n",
              "  - name: ticker\n    release: ticker\n    properties: {word: tock}\n"
            )
          ]))
      try await server.succeed("stop", "-n", "-d", "ticker")
    }
  }
}

enum IsolatedProcess {
  /// VMs have none of the libraries of a debug build.
  static let program = "\(ServerUnderTest.root)/.build-static/programs/bpm"

  static let isPossible: Bool = {
    if getuid() != 0 {
      print("skipped: a VM with bpm needs root")
      return false
    }
    if !Files.isVisible(program) {
      print("skipped: a VM with bpm needs a static one at \(program) (make release)")
      return false
    }
    return true
  }()
}
