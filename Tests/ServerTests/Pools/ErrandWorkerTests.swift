import Documents
import Formats
import Logging
import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import Director
@testable import Pools
@testable import PoolsCommands
@testable import Server

/// Pools that are cleaned and built by errands, whenever the server dies or stops.
@Suite struct ErrandWorkerTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// How a server ends at a deed: killed before it is done, or after it.
  enum End: CaseIterable { case killedBefore, killedAfter }

  /// A server with its pools, janitor and mason.
  private struct TestServer {
    let keeper: PoolKeeper
    let work: Task<Void, Never>

    func stop() async {
      work.cancel()
      await work.value
    }
  }

  private func server(
    _ store: any DocumentStore, _ runs: RememberedRuns, _ entries: [PoolsConfiguration.Entry], fuse: Fuse = Fuse(),
    deeds: Int? = nil, end: End = .killedBefore
  ) async throws -> TestServer {
    // Places in line of servers that died are not waited for long.
    let keeper = try await PoolKeeper(
      store: FusedStore(store: store, fuse: fuse), options: .init(requestTime: .milliseconds(30)),
      surroundings: .system, logger: Self.logger)
    try await keeper.configure(PoolsConfiguration(entries))
    if let deeds { fuse.arm(deeds: deeds, isLastDone: end == .killedAfter) }
    let types = TypeSource { await keeper.configuration }
    let worker = ErrandWorker(
      runner: FusedRunner(runs: runs, fuse: fuse), keeper: keeper, surroundings: .system, logger: Self.logger)
    func holders(_ service: String) -> LocalHolders {
      LocalHolders(keeper, service: service, surroundings: .system)
    }
    let janitor = Janitor(
      LocalPools(keeper, owner: "janitor", surroundings: .system), holders: holders("janitor"), types: types,
      settings: .init(updateFrequency: .seconds(600)), worker: worker, logger: Self.logger)
    let mason = Mason(
      LocalPools(keeper, owner: "mason", surroundings: .system), holders: holders("mason"), types: types,
      settings: .init(pause: .milliseconds(1)), worker: worker, logger: Self.logger)
    return TestServer(
      keeper: keeper,
      work: Task {
        await withDiscardingTaskGroup { group in
          group.addTask { await janitor.run(pause: .milliseconds(1)) }
          group.addTask { await mason.run() }
        }
      })
  }

  private func wait(_ what: String, until isTrue: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await !isTrue() {
      try #require(ContinuousClock.now < deadline, "\(what)")
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  private func janitor(_ names: [String], quarantineAfter: Int? = nil) -> PoolsConfiguration.Entry {
    var policy = TypePolicy()
    policy.janitor = ServiceProgram(
      errand: ServiceErrand(deployment: "accounts", errand: "clean"), quarantineAfter: quarantineAfter)
    return .init(type: "account", state: "dirty", names: names, policy: policy)
  }

  private var builder: [PoolsConfiguration.Entry] {
    var policy = TypePolicy()
    policy.mason = ServiceProgram(errand: ServiceErrand(deployment: "clusters", errand: "build"))
    return [
      .init(type: "account", names: ["a", "b"]),
      .init(
        type: "cluster", state: "dirty", minimum: 1, maximum: 1, needs: ["account": 1],
        construction: .init(type: "Maker", content: "x"), policy: policy),
    ]
  }

  /// Has a server do everything while it ends at each deed in turn, and another one go on.
  ///
  /// - Returns: at how many deeds it ended.
  private func surviving(
    _ end: End, _ entries: [PoolsConfiguration.Entry], failing: Set<Int> = [],
    until isDone: (PoolKeeper) async throws -> Bool,
    _ check: (PoolKeeper, RememberedRuns, String) async throws -> Void
  ) async throws -> Int {
    for deed in 1... {
      let (store, runs, fuse) = (MemoryDocumentStore(), RememberedRuns(failing: failing), Fuse())
      func isOver(_ keeper: PoolKeeper) async throws -> Bool { try await isDone(keeper) && runs.leases.isEmpty }
      let first = try await server(store, runs, entries, fuse: fuse, deeds: deed, end: end)
      try await wait("deed \(deed)") { if fuse.isBlown { true } else { try await isOver(first.keeper) } }
      let hasEnded = fuse.isBlown
      fuse.release()
      await first.stop()
      let second = try await server(store, runs, entries)
      try await wait("after deed \(deed)") { try await isOver(second.keeper) }
      try await check(second.keeper, runs, "\(end) at deed \(deed)")
      await second.stop()
      guard hasEnded else { return deed - 1 }
    }
    return 0
  }

  @Test(
    "A dirty resource is cleaned by one run, whose outcome counts once, whenever the server is killed",
    arguments: End.allCases)
  func cleans(_ end: End) async throws {
    let deeds = try await surviving(end, [janitor(["a"])]) { keeper in
      await keeper.resource("a")?.state == "free"
    } _: { keeper, runs, place in
      #expect(await keeper.resource("a")?.owner == "", "\(place)")
      #expect(runs.begun.count == 1, "\(place)")
      let work = try await keeper.description("a", type: nil).work
      #expect(work.records.map(\.ending) == ["task 1: exited with 0"] && work.failures == 0, "\(place)")
    }
    // Acquired, begun, told of, released, forgotten.
    #expect(deeds == 5)
  }

  @Test(
    "Failures are counted once each, and lead to quarantine, whenever the server is killed",
    arguments: End.allCases)
  func quarantines(_ end: End) async throws {
    let deeds = try await surviving(end, [janitor(["a"], quarantineAfter: 2)], failing: [1, 2]) { keeper in
      await keeper.resource("a")?.state == "quarantine"
    } _: { keeper, runs, place in
      #expect(await keeper.resource("a")?.owner == "", "\(place)")
      #expect(runs.begun.count == 2, "\(place)")
      #expect(Set(runs.begun.map(\.lease)).count == 2, "\(place)")
      let work = try await keeper.description("a", type: nil).work
      #expect(work.records.map(\.ending) == ["task 2: exited with 1", "task 1: exited with 1"], "\(place)")
      #expect(work.records.map(\.log) == ["no way\n", "no way\n"], "\(place)")
    }
    #expect(deeds >= 10)
  }

  @Test(
    "A dynamic resource is built by one run from what it needs, whenever the server is killed",
    arguments: End.allCases)
  func builds(_ end: End) async throws {
    let deeds = try await surviving(end, builder) { keeper in
      try await keeper.metric("cluster").current == ["free": 1]
    } _: { keeper, runs, place in
      let clusters = await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 2)
      let cluster = try #require(clusters.first)
      #expect(cluster.owner == "" && cluster.userData["id"] == "42", "\(place)")
      #expect(runs.begun.count == 1, "\(place)")
      let parts = LeasedNames.of(cluster)
      #expect(parts.count == 1, "\(place)")
      for name in ["a", "b"] {
        let account = await keeper.resource(name)
        #expect(account?.owner == "", "\(place)")
        #expect(parts.contains(name) == (account?.state == cluster.name), "\(place)")
      }
      let work = try await keeper.description(cluster.name, type: nil).work
      #expect(work.records.map(\.succeeded) == [true], "\(place)")
    }
    #expect(deeds >= 9)
  }

  @Test("Servers that die again and again, wherever, build once, and clean until all is free", arguments: 1...20)
  func diesOften(_ seed: Int) async throws {
    var random = SeededRandom(seed: UInt64(seed))
    var entries = builder
    entries[0].policy = janitor([]).policy
    entries[0].state = "dirty"
    let (store, runs) = (MemoryDocumentStore(), RememberedRuns(failing: [1, 3]))
    for _ in 1...5 {
      let fuse = Fuse()
      let end = try #require(End.allCases.randomElement(using: &random))
      let server = try await server(
        store, runs, entries, fuse: fuse, deeds: Int.random(in: 1...12, using: &random), end: end)
      try await wait("it dies or is done") {
        if fuse.isBlown { return true }
        return try await isAllFree(server.keeper) && runs.leases.isEmpty
      }
      fuse.release()
      await server.stop()
    }
    let last = try await server(store, runs, entries)
    try await wait("all is done") { try await isAllFree(last.keeper) && runs.leases.isEmpty }
    await last.stop()
    // Builds fail where their number is 1 or 3, and are done again only then.
    let builds = runs.begun.enumerated().filter { $0.element.subject.hasPrefix("build ") }.map { $0.offset + 1 }
    #expect(builds.count == builds.count { [1, 3].contains($0) } + 1, "\(runs.begun.map(\.subject))")
    #expect(Set(runs.begun.map(\.lease)).count == runs.begun.count)
    for resource in await last.keeper.resources(type: nil, state: nil, owner: nil, limit: 10) {
      #expect(resource.owner == "", "\(resource)")
      let work = try await last.keeper.description(resource.name, type: nil).work
      #expect(Set(work.records.map(\.ending)).count == work.records.count && work.failures == 0, "\(work)")
    }
  }

  /// The cluster is built of one account, and the other one is clean.
  private func isAllFree(_ keeper: PoolKeeper) async throws -> Bool {
    let clusters = await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 2)
    guard let name = clusters.first?.name, clusters.count == 1, clusters[0].state == "free" else { return false }
    return try await keeper.metric("account").current == ["free": 1, name: 1]
  }

  @Test("A server that stops leaves what is cleaned and built held, and the next one waits for the same runs")
  func stops() async throws {
    let (store, runs) = (MemoryDocumentStore(), RememberedRuns(length: .milliseconds(300)))
    let entries = [
      builder[0], builder[1], .init(type: "zone", state: "dirty", names: ["z"], policy: janitor([]).policy),
    ]
    let first = try await server(store, runs, entries)
    try await wait("both have begun") { runs.begun.count == 2 }
    await first.stop()
    #expect(try await first.keeper.metric("zone").current == ["cleaning": 1])
    #expect(try await first.keeper.metric("cluster").current == ["cleaning": 1])
    #expect(runs.leases.count == 2)
    let second = try await server(store, runs, entries)
    try await wait("both are done") {
      guard try await second.keeper.metric("cluster").current == ["free": 1] else { return false }
      return await second.keeper.resource("z")?.state == "free" && runs.leases.isEmpty
    }
    #expect(runs.begun.count == 2)
    await second.stop()
  }

  @Test("What a type that has no errand any more left held is dirty, and its run is ended")
  func forgotten() async throws {
    let (store, runs) = (MemoryDocumentStore(), RememberedRuns(length: .seconds(3600)))
    let first = try await server(store, runs, [janitor(["a"])])
    try await wait("it has begun") { runs.begun.count == 1 }
    await first.stop()
    let second = try await server(store, runs, [.init(type: "account", names: ["a"])])
    try await wait("it is dirty") {
      let account = await second.keeper.resource("a")
      return account?.state == "dirty" && account?.owner == "" && runs.leases.isEmpty
    }
    await second.stop()
  }

  @Test("The outcome of a run whose lease was lost does not count for the next lease, and the run is ended")
  func lost() async throws {
    let (store, runs) = (MemoryDocumentStore(), RememberedRuns(length: .seconds(3600)))
    let first = try await server(store, runs, [janitor(["a"])])
    try await wait("it has begun") { runs.begun.count == 1 }
    await first.stop()
    // Taken back while no janitor looked, and nobody's any more.
    let keeper = try await PoolKeeper(store: store, surroundings: .system, logger: Self.logger)
    try await keeper.configure(PoolsConfiguration([janitor(["a"])]))
    _ = try await keeper.reset(type: "account", state: "cleaning", expiry: .seconds(-1), destination: "dirty")
    let second = try await server(store, runs, [janitor(["a"])])
    try await wait("another has begun, and the first is forgotten") {
      runs.begun.count == 2 && runs.leases == [runs.begun[1].lease]
    }
    #expect(runs.begun[0].subject == runs.begun[1].subject)
    await second.stop()
  }

  @Test("A lease that is lost while its run is under way ends the run; the next lease has one of its own")
  func lostMeanwhile() async throws {
    let (store, runs) = (MemoryDocumentStore(), RememberedRuns(length: .seconds(3600)))
    var entry = janitor(["a"])
    // Hears of it as often as the type's own time wants it.
    entry.policy.reaping = ReapingPolicy(usual: .milliseconds(20))
    let server = try await server(store, runs, [entry])
    try await wait("it has begun") { runs.begun.count == 1 }
    _ = try await server.keeper.reset(
      type: "account", state: "cleaning", expiry: .seconds(-1), destination: "dirty")
    try await wait("another has begun, and the first is forgotten") {
      runs.begun.count == 2 && runs.leases == [runs.begun[1].lease]
    }
    #expect(runs.cancelled == [runs.begun[0].lease])
    await server.stop()
  }

  @Test(
    "An errand that is not there yet is told of once, costs the resource nothing, and is run as soon as it is there")
  func obstacle() async throws {
    let (store, runs) = (MemoryDocumentStore(), RememberedRuns())
    runs.obstacle = "Deployment 'accounts' doesn't exist"
    let server = try await server(store, runs, [janitor(["a"], quarantineAfter: 1)])
    let keeper = server.keeper
    try await wait("it is told of") { await keeper.eventCounts[.errandMissing] == 1 }
    try await Task.sleep(for: .milliseconds(20))
    let account = await keeper.resource("a")
    #expect(account?.state == "dirty" && account?.owner == "")
    let events = await keeper.events(after: 0, kinds: [], type: "account", limit: 10, wait: .zero).events
    #expect(events.map(\.message) == ["Deployment 'accounts' doesn't exist"])
    runs.obstacle = nil
    try await wait("it is clean") { await keeper.resource("a")?.state == "free" }
    #expect(await keeper.eventCounts == [.errandMissing: 1, .errandFound: 1])
    #expect(try await keeper.description("a", type: nil).work.failures == 0)
    await server.stop()
  }

  @Test("An errand has what it works on in its environment; what may be secret is shown to nobody")
  func environment() throws {
    let program = ServiceProgram(
      errand: ServiceErrand(deployment: "d", errand: "e", arguments: ["--all"]), timeout: .milliseconds(1500))
    let resource = PooledResource(
      type: "aws-cluster", name: "c1", state: "cleaning", owner: "mason/1", userData: ["access-key": "17"])
    let clean = try PoolErrand(PoolWork(kind: .clean, resource: resource, program: program))
    #expect(clean.deployment == "d" && clean.errand == "e" && clean.arguments == ["--all"])
    #expect(clean.subject == "clean c1 (aws-cluster)" && clean.lease == "mason/1" && !clean.wantsAnswer)
    #expect(clean.timeoutSeconds == 2)
    let own = [
      "DROVER_LEASE_NAME": "c1", "DROVER_LEASE_TYPE": "aws-cluster", "DROVER_LEASE_STATE": "cleaning",
      "DROVER_LEASE_OWNER": "mason/1", "DROVER_LEASE_DATA_ACCESS_KEY": "17",
    ]
    #expect(clean.environment == own)
    let part = PooledResource(
      type: "aws-account", name: "a1", state: "leased", owner: "mason/1", userData: ["id": "4711"])
    let kind = PoolWork.Kind.build(
      leased: ["aws-account": [part]], construction: .init(type: "Maker", content: "x: 1"))
    let build = try PoolErrand(PoolWork(kind: kind, resource: resource, program: program))
    #expect(build.wantsAnswer && build.subject == "build c1 (aws-cluster)")
    let leased = try JSON.parse(build.environment["DROVER_LEASED"] ?? "")
    #expect(leased["aws-account"]?[0]?["name"]?.string == "a1")
    #expect(leased["aws-account"]?[0]?["userdata"]?["id"]?.string == "4711")
    var more = build.environment
    more["DROVER_LEASED"] = nil
    #expect(
      more
        == own.merging([
          "DROVER_BUILD_TYPE": "Maker", "DROVER_BUILD_CONTENT": "x: 1", "DROVER_LEASED_AWS_ACCOUNT_1_NAME": "a1",
          "DROVER_LEASED_AWS_ACCOUNT_1_TYPE": "aws-account", "DROVER_LEASED_AWS_ACCOUNT_1_STATE": "leased",
          "DROVER_LEASED_AWS_ACCOUNT_1_OWNER": "mason/1", "DROVER_LEASED_AWS_ACCOUNT_1_DATA_ID": "4711",
        ]) { $1 })
    #expect(build.secret == ["DROVER_LEASED", "DROVER_BUILD_CONTENT"])
    var large = part
    large.userData["blob"] = String(repeating: "x", count: 200_000)
    let tooLarge = PoolWork(
      kind: .build(leased: ["aws-account": [large]], construction: .init(type: "", content: "")), resource: resource,
      program: program)
    #expect(throws: DroverError.self) { try PoolErrand(tooLarge) }
  }
}

/// What a resource was built from.
private enum LeasedNames {
  static func of(_ resource: PooledResource) -> [String] {
    let value = resource.userData["leasedResources"].flatMap { try? YAML.parse($0) }
    return value?.array?.compactMap(\.string) ?? []
  }
}
