import AgentProtocol
import Digests
import Files
import Formats
import Glibc
import Logging
import Messaging
import Processes
import Testing

@testable import Agent

/// The traps of agent.md 22 that no other suite has a test for: 5, 7 and 8. The others:
///
/// | trap | test |
/// | --- | --- |
/// | 1 drain of an unknown type ends the process | ``ActionTests``, drain |
/// | 2 a second cancellation hits the next errand | ``ErrandTests``, cancel |
/// | 3 seven requests wedge the message loop | ``MessageLoopTests``, ``TaskQueueTests`` |
/// | 4 a failed compilation stays linked | ``CompileTests`` |
/// | 4 results never expire; long output is lost | ``PureTests``, ``TaskQueueTests``; ``ErrandTests`` |
/// | 6 names lead out of their folder | ``InstallTests`` |
/// | 9 a list that is missing hides the other one | ``LinuxPlanTests``, lists; ``LinuxPlatformTests`` |
@Suite struct TrapTests {
  @Test("what holds keys or secrets can be read by root alone, and is not in the log (5)")
  func secrets() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let secret = "hunter2-in-a-property"
      var spec = try BlobFolder(folder: test.folder).spec(
        job: "job", ["bin/run": "#!/bin/bash\necho $TOKEN > \(test.base)/token\n", "monit": ""])
      spec.properties = ["password": .string(secret)]
      #expect(try await test.call("apply", spec.value) == "applied")
      _ = try await test.call("run_errand", "job", ErrandOptions(environment: ["TOKEN": secret]).value)
      _ = try await test.call(
        "upload_blob",
        UploadBlobRequest(blobID: "b", checksum: DigestHasher.hex(.sha1, secret), payload: "").value(of: secret))
      _ = try await test.call("run_script", "no-such", ScriptOptions(environment: ["TOKEN": secret]).value)
      let found = try Self.files(below: test.base).filter { path in
        let text = Files.textIfPresent(path) ?? ""
        return path != "\(test.base)/token" && (text.contains(secret) || text.contains("PRIVATE KEY"))
      }
      #expect(found.contains("\(test.base)/bosh/settings.json"))
      for path in found {
        var information = stat()
        #expect(stat(path, &information) == 0)
        let isOwners = information.st_mode & 0o077 == 0 || path.hasPrefix("\(test.base)/data/sensitive_blobs/")
        #expect(isOwners, "\(path)")
      }
      #expect(test.log.contains("run_errand"))
      #expect(!test.log.contains(secret) && !test.log.contains("PRIVATE KEY"))
      #expect(!test.log.contains(Base64.encode(secret.utf8)))
    }
  }

  @Test("an error says what failed and how, not with which command line and not what was printed (7)")
  func shortErrors() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let script = "#!/bin/bash\necho printed-by-script; echo printed-too >&2; exit 3\n"
      let spec = try BlobFolder(folder: test.folder).spec(job: "job", ["bin/pre-start": script, "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      let text = try await test.failure("run_script", "pre-start", ["env": ["TOKEN": "in-the-environment"]])
      #expect(text.contains("1 of 1 pre-start scripts failed. Failed Jobs: job."), "\(text)")
      for other in ["printed", "in-the-environment", "/bin/bash", "PATH"] { #expect(!text.contains(other), "\(text)") }
    }
  }

  @Test("the first heartbeat reaches the health monitor (8)")
  func firstHeartbeat() async throws {
    try await AgentProcess.with { test in
      let monitor = try NATSConnection(
        test.monitor, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      await monitor.start()
      try await monitor.waitUntilConnected(.seconds(10))
      let beats = try await monitor.subscribe(AgentSubjects.allHeartbeats)
      // Later ones come every 30 s.
      try await test.start()
      let first = try await beats.next()
      #expect(first?.subject == "hm.agent.heartbeat.\(TestAgent.id)")
      let beat = try JSON.parse(first?.payload ?? [])
      #expect(beat["job_state"] == "running" && beat["vitals"]?["cpu"] != nil)
      await monitor.close()
    }
  }

  private static func files(below folder: String) throws -> [String] {
    try Files.names(in: folder).flatMap { name in
      let path = "\(folder)/\(name)"
      if try Files.isLink(path) { return [String]() }
      return try FileFacts(path)?.kind == .folder ? files(below: path) : [path]
    }
  }
}

extension UploadBlobRequest {
  /// With these bytes as its payload.
  fileprivate func value(of text: String) -> Value {
    var request = self
    request.payload = Base64.encode(text.utf8)
    return request.value
  }
}
