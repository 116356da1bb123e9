import Files
import Formats
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent
@testable import Supervision

@Suite(.timeLimit(.minutes(10))) struct MonitServerTests {
  @Test("the monit command does over HTTP what it is told, and waits until it is done")
  func command() async throws {
    try await withTemporaryFolder { folder in
      let paths = VMPaths(base: folder)
      try Files.makeFolder(paths.controlFiles)
      try writeTestFile(
        "\(folder)/ctl",
        "#!/bin/sh\nif [ $1 = start ]; then sleep 1000 & echo $! > \(folder)/pid; else kill $(cat \(folder)/pid); fi\n",
        mode: 0o755)
      try writeTestFile(
        "\(paths.controlFiles)/0000_web.monitrc",
        """
        check process web with pidfile \(folder)/pid
          start program "\(folder)/ctl start"
          stop program "\(folder)/ctl stop"
          group vcap
        """)
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      let supervisor = try Supervisor(paths: paths, surroundings: .system, logger: logger)
      let credentials = try MonitUser.credentials(
        paths.monitUser, surroundings: .system, ownership: Ownership(vcap: nil))
      let again = try MonitUser.credentials(paths.monitUser, surroundings: .system, ownership: Ownership(vcap: nil))
      #expect(credentials == again && credentials.hasPrefix("vcap:"))
      let port = try freePort()
      let server = Task {
        await MonitServer(
          face: MonitFace(supervisor, credentials: credentials, surroundings: .system), port: port,
          surroundings: .system, logger: logger
        ).run()
      }
      // The command blocks, as a command may.
      func monit(_ arguments: String...) async throws -> MonitProgram.Outcome {
        try await blocking { MonitProgram.run(arguments, paths: paths, port: port, waits: true) }
      }
      while try await monit().status != 0 { try await Task.sleep(for: .milliseconds(20)) }
      #expect(try await monit("reload") == .init(errors: "Reinitializing monit daemon\n"))
      #expect(try await monit("start", "web") == .init())
      let process = try #require(try Pidfile("\(folder)/pid").process())
      #expect(try await monit("summary").output.contains("Process 'web'                       running\n"))
      #expect(try await monit("-g", "vcap", "stop", "all") == .init())
      #expect(!process.isAlive)
      #expect(try await monit("status").output.contains("  status                            not monitored\n"))
      let unknown = try await monit("restart", "none")
      #expect(unknown.errors == "monit: action failed -- There is no service by that name\n" && unknown.status == 1)
      server.cancel()
      await server.value
      await supervisor.close()
    }
  }
}
