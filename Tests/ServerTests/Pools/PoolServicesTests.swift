import Formats
import Glibc
import Logging
import PoolsProtocol
import ServiceLifecycle
import Surroundings
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI
@testable import Server

/// What droverd runs for pools when its configuration says so.
@Suite(.timeLimit(.minutes(5))) struct PoolServicesTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Runs a test with the pools of a server that has this file of resources, with time that passes a hundred times as
  /// quickly for whoever waits.
  private func withServer(
    _ folder: String, resources: String, services: String, _ test: (PoolKeeper) async throws -> Void
  ) async throws {
    let ports = (try freePort(), try freePort(), try freePort())
    try writeTestFile("\(folder)/resources.yaml", resources)
    try writeTestFile(
      "\(folder)/droverd.yaml",
      """
      state: \(folder)/state
      pools:
        resources: \(folder)/resources.yaml
        port: \(ports.0)
        health_port: \(ports.1)
        metrics_port: \(ports.2)
        services: [\(services)]

      """)
    var surroundings = Surroundings.system
    let sleep = surroundings.sleep
    surroundings.sleep = { duration in try await sleep(duration / 100) }
    let server = Server(
      try ServerConfiguration.load(file: "\(folder)/droverd.yaml", flags: [:]), surroundings: surroundings,
      logger: Self.logger)
    try server.files.prepare()
    let pools = try #require(try await server.pools(hasErrands: false))
    let group = ServiceGroup(services: pools.services, logger: Self.logger)
    let running = Task { try await group.run() }
    do {
      try await test(pools.keeper)
    } catch {
      Issue.record("\(error)")
    }
    await group.triggerGracefulShutdown()
    try await running.value
    try await pools.close()
  }

  @Test("what somebody left behind is taken back by the reaper, cleaned by the janitor's command, and free again")
  func reapedAndCleaned() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/clean", "#!/bin/sh\necho \"$@\" >>\(folder)/calls\n", mode: 0o755)
      let resources = """
        resources:
        - type: gce-project
          names: [a, b]
          reap-after: {busy: 1ms}
          janitor: {command: \(folder)/clean}

        """
      try await withServer(folder, resources: resources, services: "reaper, janitor") { keeper in
        let lease = AcquireRequest(type: "gce-project", state: "free", destination: "busy", owner: "gone")
        #expect(try await keeper.acquire(lease).resource.name == "a")
        try await until {
          (try? ResourceFile.read("\(folder)/calls", limit: 1 << 16)) == Array("--project=a\n".utf8)
        }
        try await until { try await keeper.metric("gce-project").current == ["free": 2] }
        #expect(await keeper.eventCounts[.leaseLost] == 1)
        #expect(await keeper.resource("a")?.owner == "")
      }
    }
  }

  @Test(
    "dynamic resources are built by the mason's command, and taken down by the cleaner with what they were built from")
  func builtAndTakenDown() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/build", "#!/bin/sh\ncat >/dev/null\necho '{\"id\":\"42\"}'\n", mode: 0o755)
      let resources = """
        resources:
        - {type: account, names: [a, b]}
        - type: cluster
          state: dirty
          min-count: 1
          max-count: 1
          needs: {account: 1}
          mason: {command: \(folder)/build}

        """
      try await withServer(folder, resources: resources, services: "mason,cleaner") { keeper in
        try await until { try await keeper.metric("cluster").current == ["free": 1] }
        let lease = AcquireRequest(type: "cluster", state: "free", destination: "busy", owner: "me")
        let first = try await keeper.acquire(lease).resource
        #expect(first.userData["id"] == "42")
        #expect(try await keeper.metric("account").current == ["free": 1, first.name: 1])
        try await keeper.release(first.name, destination: "toBeDeleted", owner: "me")
        // It goes, its account is dirty, and another one is built.
        try await until { await keeper.resource(first.name) == nil }
        try await until { try await keeper.metric("cluster").current["free"] == 1 }
        let second = try await keeper.acquire(lease).resource
        #expect(try await keeper.metric("account").current == ["dirty": 1, second.name: 1])
      }
    }
  }
}
