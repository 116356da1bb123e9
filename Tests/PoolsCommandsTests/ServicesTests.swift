import Formats
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

  @Test("the reaper takes back busy, cleaning, leased and further states, and goes on after a type that is not there")
  func reaper() async throws {
    try await withPools([.init(type: "t", names: (0..<5).map { "r\($0)" })]) { keeper, url in
      for (number, state) in ["busy", "cleaning", "leased", "extra", "kept"].enumerated() {
        _ = try await keeper.acquire(names: ["r\(number)"], state: "free", destination: state, owner: "o")
      }
      let reaper = Reaper(
        try poolsClient(url, "Reaper"), types: try TypeSource(types: ["none", "t"], file: nil), expiry: .zero,
        extraStates: ["extra"], logger: Self.logger)
      await reaper.pass()
      #expect(await poolStates(keeper, "t") == ["dirty": 4, "kept": 1])
      let lost = await keeper.events(after: 0, kinds: [.leaseLost], type: nil, limit: 10, wait: .zero).events
      #expect(lost.map(\.state) == ["busy", "cleaning", "leased", "extra"])
    }
  }

  @Test("types come from a list, from a file, or from both; a file that gets faults does not count")
  func types() async throws {
    #expect(throws: DroverError.self) { try TypeSource(types: [], file: nil) }
    try await withTemporaryFolder { folder in
      let file = "\(folder)/resources.yaml"
      try writeTestFile(file, "resources: [{type: b, names: [x]}, {type: d, max-count: 1}]")
      let source = try TypeSource(types: ["a", "b"], file: file)
      #expect(await source.types(Self.logger) == ["a", "b", "d"])
      #expect(try await TypeSource(types: [], file: file, onlyDynamic: true).types(Self.logger) == ["d"])
      try writeTestFile(file, "resources: []")
      #expect(await source.types(Self.logger) == ["a", "b", "d"])
      try writeTestFile(file, "resources: [{type: e, names: [x]}]")
      #expect(await source.types(Self.logger) == ["a", "b", "e"])
    }
  }

  @Test("the janitor cleans all that is dirty by its command, and what cannot be cleaned stays dirty")
  func janitor() async throws {
    try await withTemporaryFolder { folder in
      let script = "\(folder)/clean"
      try writeTestFile(
        script, "#!/bin/sh\necho \"$@\" >>\(folder)/calls\ncase $1 in *r7) echo no way; exit 1;; esac\n", mode: 0o755)
      try await withPools([.init(type: "gce-project", state: "dirty", names: (0..<30).map { "r\($0)" })]) {
        keeper, url in
        let program = ServiceProgram(command: [script, "--hours=0"], quarantineAfter: 2)
        let janitor = Janitor(
          try poolsClient(url, "Janitor"), types: try TypeSource(types: ["gce-project"], file: nil),
          settings: .init(poolSize: 4, program: program), logger: Self.logger)
        // What fails is dirty at once again, and so its turn comes in the same round, until it is put aside.
        await janitor.round()
        #expect(await poolStates(keeper, "gce-project") == ["free": 29, "quarantine": 1])
        #expect(await keeper.resource("r7")?.owner == "")
        // The server knows how it went, and that it was put aside.
        let work = try await keeper.description("r7", type: nil).work
        #expect(work.records.map(\.ending) == ["exited with 1", "exited with 1"] && work.failures == 0)
        #expect(work.records[0].log == "no way\n")
        #expect(await keeper.eventCounts == [.quarantined: 1])
      }
      let calls = try String(decoding: ResourceFile.read("\(folder)/calls", limit: 1 << 20), as: UTF8.self)
      #expect(Set(calls.split(separator: "\n")).count == 30)
      #expect(calls.contains("--project=r12 --hours=0\n"))
    }
  }

  @Test("types that an errand cleans or builds are left to the server that runs errands")
  func leftToErrands() async throws {
    var policy = TypePolicy()
    policy.janitor = ServiceProgram(errand: ServiceErrand(deployment: "d", errand: "e"))
    let entries = [
      PoolsConfiguration.Entry(type: "t", state: "dirty", names: ["a"], policy: policy),
      .init(type: "u", state: "dirty", names: ["b"]),
    ]
    try await withPools(entries) { keeper, url in
      let types = TypeSource { await keeper.configuration }
      await Janitor(
        try poolsClient(url, "Janitor"), types: types, settings: .init(program: ServiceProgram(command: ["true"])),
        logger: Self.logger
      ).round()
      #expect(await poolStates(keeper, "t") == ["dirty": 1])
      #expect(await poolStates(keeper, "u") == ["free": 1])
    }
  }

  @Test("what a build wrote that cannot be user data has failed, counts and leads to quarantine")
  func badAnswer() async throws {
    var policy = TypePolicy()
    policy.mason = ServiceProgram(command: ["echo", "[1]"], quarantineAfter: 2)
    let cluster = PoolsConfiguration.Entry(type: "cluster", state: "dirty", minimum: 1, maximum: 1, policy: policy)
    try await withPools([cluster]) { keeper, url in
      let mason = Mason(
        try poolsClient(url, "mason"), types: TypeSource { await keeper.configuration }, settings: .init(),
        logger: Self.logger)
      await mason.pass()
      #expect(await poolStates(keeper, "cluster") == ["dirty": 1])
      await mason.pass()
      #expect(await poolStates(keeper, "cluster") == ["quarantine": 1])
      let name = try #require(
        await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 1).first?.name)
      let ending = try await keeper.description(name, type: nil).work.records.first?.ending ?? ""
      #expect(ending.hasPrefix("what it made cannot be kept: "), "\(ending)")
    }
  }

  @Test("a clean-up that takes too long has failed")
  func slowJanitor() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/clean", "#!/bin/sh\nsleep 600\n", mode: 0o755)
      try await withPools([.init(type: "t", state: "dirty", names: ["a"])]) { keeper, url in
        let program = ServiceProgram(
          command: ["\(folder)/clean"], timeout: .milliseconds(50), quarantineAfter: 1)
        let janitor = Janitor(
          try poolsClient(url, "Janitor"), types: try TypeSource(types: ["t"], file: nil),
          settings: .init(program: program), logger: Self.logger)
        await janitor.round()
        #expect(await poolStates(keeper, "t") == ["quarantine": 1])
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
        try poolsClient(url, "cleaner"), types: try TypeSource(types: ["cluster"], file: nil), logger: Self.logger)
      await cleaner.pass()
      #expect(await keeper.resource(cluster.name) == nil)
      #expect(await poolStates(keeper, "account") == ["dirty": 2, "free": 1])
      // One is made in its place.
      #expect(await poolStates(keeper, "cluster") == ["free": 1])
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
          await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 1).first?.name)
        let mason = Mason(
          try poolsClient(url, "mason"), types: try TypeSource(types: [], file: "\(folder)/resources.yaml"),
          settings: .init(programs: ["Maker": ServiceProgram(command: ["\(folder)/build"])]), logger: Self.logger)
        await mason.pass()
        let cluster = try #require(await keeper.resource(name))
        #expect(cluster.owner == "")
        if fails {
          #expect(cluster.state == "dirty")
          #expect(await poolStates(keeper, "account") == ["dirty": 2, "free": 1])
        } else {
          #expect(cluster.state == "free" && cluster.userData["id"] == "42")
          #expect(LeasedResources.names(cluster.userData) == ["a", "b"])
          #expect(await poolStates(keeper, "account") == [name: 2, "free": 1])
          #expect(try await keeper.description(name, type: nil).work.records.map(\.succeeded) == [true])
          let input = try JSON.parse(ResourceFile.read("\(folder)/input", limit: 1 << 16))
          #expect(input["resource"]?["name"]?.string == name)
          #expect(input["leased"]?["account"]?[1]?["name"]?.string == "b")
          #expect(input["config"] == ["type": "Maker", "content": "x"])
        }
      }
    }
  }

  @Test("each type is reaped by its own times, and a lease that is kept is left alone")
  func ownTimes() async throws {
    var policy = TypePolicy()
    policy.reaping = ReapingPolicy(usual: .zero, states: ["busy": nil], others: .zero)
    try await withPools([.init(type: "t", names: (0..<5).map { "r\($0)" }, policy: policy)]) { keeper, url in
      for (number, state) in ["busy", "cleaning", "leased", "extra", "keep"].enumerated() {
        _ = try await keeper.acquire(names: ["r\(number)"], state: "free", destination: state, owner: "o")
      }
      let inner = InnerReaper(keeper: keeper, expiry: nil, surroundings: .system, logger: Self.logger)
      await inner.pass()
      #expect(await poolStates(keeper, "t") == ["busy": 1, "dirty": 3, "keep": 1])
      for name in ["r1", "r2", "r3"] {
        _ = try await keeper.acquire(names: [name], state: "dirty", destination: "extra", owner: "o")
      }
      // The same from outside, with the file of resources.
      let reaper = Reaper(
        try poolsClient(url, "Reaper"), types: TypeSource { await keeper.configuration }, expiry: .seconds(3600),
        logger: Self.logger)
      await reaper.pass()
      #expect(await poolStates(keeper, "t") == ["busy": 1, "dirty": 3, "keep": 1])
    }
  }

  @Test("the metrics exporter shows what the server has, and passes questions on")
  func metricsExporter() async throws {
    try await withPools([.init(type: "t", names: ["a", "b"]), .init(type: "u", state: "odd", names: ["c"])]) { _, url in
      let exporter = MetricsExporter(
        try poolsClient(url, "Metrics"), types: try TypeSource(types: ["none", "t", "u"], file: nil),
        states: ["free", "busy"], logger: Self.logger)
      await exporter.pass()
      #expect(
        exporter.text.split(separator: "\n").dropFirst(2) == [
          #"boskos_resources{state="free",type="t"} 2"#, #"boskos_resources{state="busy",type="t"} 0"#,
          #"boskos_resources{state="free",type="u"} 0"#, #"boskos_resources{state="busy",type="u"} 0"#,
          #"boskos_resources{state="other",type="u"} 1"#,
        ])
    }
  }
}
