import AgentProtocol
import Files
import Formats
import Messaging
import Processes
import TestSupport
import Testing

@testable import Agent

@Suite struct MachineTests {
  @Test("what directors of old asked for is answered: the state by its first name, and networks, which are the cloud's")
  func oldNames() async throws {
    try await TestAgent.with { test in
      let state = try await test.call("state")
      #expect(state["agent_id"] == "agent-1")
      let full = try await test.call("state", "full")
      #expect(full["vitals"] != nil)
      for method in ["prepare_network_change", "prepare_configure_networks", "configure_networks"] {
        let answer = try await test.call(method)
        #expect(answer == "ok")
      }
    }
  }

  @Test("a machine that is turned off tells the health monitor, drains and stops its jobs; a second time nothing runs")
  func shutdown() async throws {
    try await TestAgent.with { test in
      let drain = "#!/bin/bash\necho drain $* >> \(test.base)/trace\necho 0\n"
      let release = TestRelease(jobs: [TestRelease.service("web", base: test.base, extra: ["bin/drain": drain])])
      _ = try await test.call("apply", release.spec(for: test).value)
      _ = try await test.call("start")
      try await waitFor("running") { try await test.call("get_state")["job_state"]?.string }
      let notes = try await test.bus.subscribe("hm.agent.shutdown.*")
      #expect(try await test.call("shutdown") == "")
      #expect(try await notes.next()?.payload == Array("null".utf8))
      try await waitFor(false) { try Files.exists("\(test.base)/sys/run/web/web.pid") }
      #expect(try await test.call("shutdown") == "")
      #expect(try await notes.next()?.payload == Array("null".utf8))
      #expect(Files.textIfPresent("\(test.base)/trace") == "drain job_shutdown hash_unchanged\n")
    }
  }

  @Test("a drain that never ends is ended when its time is over, and the jobs are stopped all the same")
  func endlessDrain() async throws {
    try await TestAgent.with { test in
      let drain = "#!/bin/bash\necho $$ > \(test.base)/drain.pid\nsleep 1000\n"
      let release = TestRelease(jobs: [TestRelease.service("web", base: test.base, extra: ["bin/drain": drain])])
      _ = try await test.call("apply", release.spec(for: test).value)
      _ = try await test.call("start")
      try await waitFor("running") { try await test.call("get_state")["job_state"]?.string }
      await test.agent.stopMachine(within: .seconds(4))
      #expect(try !Files.exists("\(test.base)/sys/run/web/web.pid"))
      // After the next boot they are to run again.
      #expect(try !Files.exists("\(test.base)/monit/stopped"))
      let text = Files.textIfPresent("\(test.base)/drain.pid") ?? ""
      let pid = try #require(text.split(separator: "\n").first.flatMap { Int($0) })
      try await waitFor(true) { ProcessIdentity(livingPid: pid) == nil }
    }
  }

  @Test("a login does not depend on the audit session, and nothing else of a PAM file changes")
  func loginServices() {
    let file = "auth required pam_env.so\nsession    required     pam_loginuid.so\n# session required pam_loginuid.so\n"
    let changed = LoginServices.tolerant(file)
    #expect(
      changed == file.split(separator: "required     pam_loginuid").joined(separator: "optional     pam_loginuid"))
    #expect(changed.flatMap(LoginServices.tolerant) == nil)
  }

  @Test(
    "how long a machine has is read from the mark of whoever stops it",
    arguments: [("20\n", 20), ("", 15), ("soon", 15), ("0", 1), ("99999", 3600)])
  func limit(_ text: String, _ seconds: Int) async throws {
    try await withTemporaryFolder { folder in
      try Files.replace("\(folder)/mark", with: Array(text.utf8))
      #expect(MachineStop.limit(mark: "\(folder)/mark") == .seconds(seconds))
      #expect(MachineStop.limit(mark: "\(folder)/none") == nil)
      for kind in Unreadable.allCases {
        try kind.put("\(folder)/\(kind)")
        #expect(MachineStop.limit(mark: "\(folder)/\(kind)") == .seconds(15))
      }
    }
  }
}
