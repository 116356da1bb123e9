import Formats
import HTTPService
import Logging
import PoolsClient
import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI
@testable import PoolsCommands

/// Reaper, janitor, cleaner and leases for commands, against a server of pools in memory.
@Suite struct ServicesTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Runs a test with a server that has these resources.
  private func withPools(
    _ entries: [PoolsConfiguration.Entry], _ test: @escaping @Sendable (PoolKeeper, String) async throws -> Void
  ) async throws {
    let keeper = try await PoolKeeper(store: nil, surroundings: .system, logger: Self.logger)
    try await keeper.configure(PoolsConfiguration(entries))
    let calls = PoolCalls(keeper: keeper, users: nil, metrics: PoolMetrics(), surroundings: .system)
    try await withService({ request, body in
      let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
      let bytes = (try? await body.collect(limit: 1 << 20)) ?? []
      let reply = await calls.reply(
        to: PoolCall(
          method: request.method, path: request.path, query: parts.count > 1 ? parts[1] : "", body: { _ in bytes }))
      return HTTPReply(reply.status, reply.body, type: reply.contentType)
    }) { port in try await test(keeper, "http://127.0.0.1:\(port)") }
  }

  private func client(_ url: String, _ owner: String) throws -> PoolsClient {
    try PoolsClient(url: url, owner: owner, options: .init(pauses: [], pollInterval: .milliseconds(10)))
  }

  private func states(_ keeper: PoolKeeper, _ type: String) async -> [String: Int] {
    (try? await keeper.metric(type).current) ?? [:]
  }

  @Test("the reaper takes back busy, cleaning, leased and further states, and goes on after a type that is not there")
  func reaper() async throws {
    try await withPools([.init(type: "t", names: (0..<5).map { "r\($0)" })]) { keeper, url in
      for (number, state) in ["busy", "cleaning", "leased", "extra", "kept"].enumerated() {
        _ = try await keeper.acquire(names: ["r\(number)"], state: "free", destination: state, owner: "o")
      }
      let reaper = Reaper(
        client: try client(url, "Reaper"), types: try TypeSource(types: ["none", "t"], file: nil), expiry: .zero,
        extraStates: ["extra"], surroundings: .system, logger: Self.logger)
      await reaper.pass()
      #expect(await states(keeper, "t") == ["dirty": 4, "kept": 1])
    }
  }

  @Test("types come from a list, from a file, or from both; a file that gets faults does not count")
  func types() async throws {
    #expect(throws: DroverError.self) { try TypeSource(types: [], file: nil) }
    try await withTemporaryFolder { folder in
      let file = "\(folder)/resources.yaml"
      try writeTestFile(file, "resources: [{type: b, names: [x]}, {type: d, max-count: 1}]")
      let source = try TypeSource(types: ["a", "b"], file: file)
      #expect(source.types(Self.logger) == ["a", "b", "d"])
      #expect(try TypeSource(types: [], file: file, onlyDynamic: true).types(Self.logger) == ["d"])
      try writeTestFile(file, "resources: []")
      #expect(source.types(Self.logger) == ["a", "b", "d"])
      try writeTestFile(file, "resources: [{type: e, names: [x]}]")
      #expect(source.types(Self.logger) == ["a", "b", "e"])
    }
  }

  @Test("the janitor cleans all that is dirty by its command, and what cannot be cleaned stays dirty")
  func janitor() async throws {
    try await withTemporaryFolder { folder in
      let script = "\(folder)/clean"
      try writeTestFile(
        script, "#!/bin/sh\necho \"$@\" >>\(folder)/calls\ncase $1 in *r7) exit 1;; esac\n", mode: 0o755)
      try await withPools([.init(type: "gce-project", state: "dirty", names: (0..<30).map { "r\($0)" })]) {
        keeper, url in
        var settings = Janitor.Settings(poolSize: 4, command: script, arguments: ["--hours=0"])
        settings.quarantineAfter = 2
        let janitor = Janitor(
          client: try client(url, "Janitor"), types: try TypeSource(types: ["gce-project"], file: nil),
          settings: settings, surroundings: .system, logger: Self.logger)
        // What fails is dirty at once again, and so its turn comes in the same round, until it is put aside.
        await janitor.round()
        #expect(await states(keeper, "gce-project") == ["free": 29, "quarantine": 1])
        #expect(await keeper.resource("r7")?.owner == "")
      }
      let calls = try String(decoding: ResourceFile.read("\(folder)/calls", limit: 1 << 20), as: UTF8.self)
      #expect(Set(calls.split(separator: "\n")).count == 30)
      #expect(calls.contains("--project=r12 --hours=0\n"))
    }
  }

  @Test("a clean-up that takes too long has failed")
  func slowJanitor() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/clean", "#!/bin/sh\nsleep 600\n", mode: 0o755)
      try await withPools([.init(type: "t", state: "dirty", names: ["a"])]) { keeper, url in
        var settings = Janitor.Settings(command: "\(folder)/clean", timeout: .milliseconds(50))
        settings.quarantineAfter = 1
        let janitor = Janitor(
          client: try client(url, "Janitor"), types: try TypeSource(types: ["t"], file: nil), settings: settings,
          surroundings: .system, logger: Self.logger)
        await janitor.round()
        #expect(await states(keeper, "t") == ["quarantine": 1])
      }
    }
  }

  @Test("the cleaner frees what a dynamic resource leased, and makes it a tombstone, which the server removes")
  func cleaner() async throws {
    try await withPools([
      .init(type: "account", names: ["a", "b", "c"]), .init(type: "cluster", minimum: 1, maximum: 2),
    ]) { keeper, url in
      let cluster = try await keeper.acquire(
        AcquireRequest(type: "cluster", state: "free", destination: "busy", owner: "o")
      ).resource
      for name in ["a", "b"] {
        _ = try await keeper.acquire(names: [name], state: "free", destination: "leased", owner: "o")
        try await keeper.release(name, destination: cluster.name, owner: "o")
      }
      try await keeper.update(
        cluster.name, owner: "o", state: "busy", userData: ["leasedResources": LeasedResources.text(["a", "b"])])
      try await keeper.release(cluster.name, destination: "toBeDeleted", owner: "o")
      let cleaner = Cleaner(
        client: try client(url, "cleaner"), types: try TypeSource(types: ["cluster"], file: nil),
        surroundings: .system, logger: Self.logger)
      await cleaner.pass()
      #expect(await keeper.resource(cluster.name) == nil)
      #expect(await states(keeper, "account") == ["dirty": 2, "free": 1])
      // One is made in its place.
      #expect(await states(keeper, "cluster") == ["free": 1])
    }
  }

  @Test(
    "the mason builds a dirty resource from what it needs, and hands all back dirty when that fails",
    arguments: [false, true])
  func mason(fails: Bool) async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile(
        "\(folder)/build",
        "#!/bin/sh\ncat >\(folder)/input\n\(fails ? "exit 1" : "echo '{\"id\":\"42\"}'")\n", mode: 0o755)
      try writeTestFile(
        "\(folder)/resources.yaml",
        """
        resources:
        - {type: account, names: [a, b, c]}
        - {type: cluster, state: dirty, min-count: 1, max-count: 1, needs: {account: 2}, config: {type: Maker, content: x}}
        """)
      let configuration = try PoolsConfiguration.load(
        ResourceFile.read("\(folder)/resources.yaml", limit: 1 << 16))
      try await withPools(configuration.entries) { keeper, url in
        let name = try #require(
          await keeper.resources(type: "cluster", state: nil, owner: nil, after: "", limit: 1).first?.name)
        let mason = Mason(
          client: try client(url, "mason"), file: "\(folder)/resources.yaml",
          settings: .init(commands: ["Maker": "\(folder)/build"]), surroundings: .system, logger: Self.logger)
        await mason.pass()
        let cluster = try #require(await keeper.resource(name))
        #expect(cluster.owner == "")
        if fails {
          #expect(cluster.state == "dirty")
          #expect(await states(keeper, "account") == ["dirty": 2, "free": 1])
        } else {
          #expect(cluster.state == "free" && cluster.userData["id"] == "42")
          #expect(LeasedResources.names(cluster.userData) == ["a", "b"])
          #expect(await states(keeper, "account") == [name: 2, "free": 1])
          let input = try JSON.parse(ResourceFile.read("\(folder)/input", limit: 1 << 16))
          #expect(input["resource"]?["name"]?.string == name)
          #expect(input["leased"]?["account"]?[1]?["name"]?.string == "b")
          #expect(input["config"] == ["type": "Maker", "content": "x"])
        }
      }
    }
  }

  private func run(_ url: String, _ script: String, heartbeat: Duration = .seconds(30)) async throws -> Int32 {
    await LeaseRun(
      client: try client(url, "me"), type: "t", terms: .init(wait: .milliseconds(1), heartbeat: heartbeat),
      command: ["/bin/sh", "-c", script], surroundings: .system
    ).run(signals: { nil }, say: { _ in })
  }

  @Test("a command has its lease in its environment and in a file, and its exit code comes home")
  func lease() async throws {
    try await withTemporaryFolder { folder in
      try await withPools([.init(type: "t", names: ["a"])]) { keeper, url in
        _ = try await keeper.acquire(names: ["a"], state: "free", destination: "x", owner: "o")
        try await keeper.update("a", owner: "o", state: "x", userData: ["access-key": "17"])
        try await keeper.release("a", destination: "free", owner: "o")
        let code = try await run(
          url,
          "echo $DROVER_LEASE_NAME $DROVER_LEASE_TYPE $DROVER_LEASE_DATA_ACCESS_KEY >\(folder)/out; "
            + "cat $DROVER_LEASE_FILE >>\(folder)/out; exit 7")
        #expect(code == 7)
        let text = try String(decoding: ResourceFile.read("\(folder)/out", limit: 1 << 16), as: UTF8.self)
        #expect(text.hasPrefix("a t 17\n{\"type\":\"t\",\"name\":\"a\""))
        #expect(await states(keeper, "t") == ["dirty": 1])
        #expect(try await run(url, "true") == LeaseRun.notLeasedCode)
      }
    }
  }

  @Test("a command whose lease is lost is ended, and the exit code says so")
  func lostLease() async throws {
    try await withTemporaryFolder { folder in
      try await withPools([.init(type: "t", names: ["a"])]) { keeper, url in
        async let code = run(
          url, "trap 'echo told >\(folder)/out; exit 0' TERM; echo >\(folder)/up; while :; do sleep 0.05; done",
          heartbeat: .milliseconds(20))
        while (try? ResourceFile.read("\(folder)/up", limit: 10)) == nil { try await Task.sleep(for: .milliseconds(5)) }
        _ = try await keeper.reset(type: "t", state: "busy", expiry: .seconds(-1), destination: "dirty")
        #expect(try await code == LeaseRun.lostCode)
        #expect(try ResourceFile.read("\(folder)/out", limit: 100) == Array("told\n".utf8))
      }
    }
  }
}
