import Configuration
import Formats
import HTTPService
import Logging
import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import Director
@testable import Pools
@testable import PoolsAPI
@testable import Server

/// The director's leases, from pools of the same server and from pools elsewhere: both do the same.
@Suite struct ResourceLeasesTests {
  enum Place: CaseIterable { case here, elsewhere }

  private func withLeases(
    _ place: Place, requestTime: Duration = .seconds(30),
    _ test: @escaping @Sendable (any ResourceLeases, PoolKeeper) async throws -> Void
  ) async throws {
    let keeper = try await PoolKeeper(
      store: nil, options: .init(requestTime: requestTime), surroundings: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await keeper.configure(
      PoolsConfiguration([.init(type: "account", names: ["account1"]), .init(type: "zone", names: ["zone1"])]))
    switch place {
    case .here: try await test(KeeperLeases(keeper: keeper, expiry: .seconds(60)), keeper)
    case .elsewhere:
      let calls = PoolCalls(keeper: keeper, users: nil, metrics: PoolMetrics(), surroundings: .system)
      try await withService({ request, body in
        let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
        let bytes = (try? await body.collect(limit: 1 << 20)) ?? []
        let reply = await calls.reply(
          to: PoolCall(
            method: request.method, path: request.path, query: parts.count > 1 ? parts[1] : "", body: { _ in bytes }))
        return HTTPReply(reply.status, reply.body, type: reply.contentType)
      }) { port in
        let section = try #require(
          try LeasesSection(
            ConfigReader(
              provider: InMemoryProvider(values: [
                ["leases", "url"]: .init(.string("http://127.0.0.1:\(port)"), isSecret: false)
              ]))))
        try await test(RemoteLeases(section: section, surroundings: .system), keeper)
      }
    }
  }

  private func request(_ owner: String, type: String = "account") -> LeaseRequest {
    LeaseRequest(type: type, state: "free", heldState: "busy", owner: owner, id: owner)
  }

  @Test("After how much silence a lease is taken back is what its type's configuration says, or the server's")
  func expiry() async throws {
    let keeper = try await PoolKeeper(store: nil, surroundings: .system, logger: Logger(label: "test"))
    try await keeper.configure(
      PoolsConfiguration.parse(
        Array(
          """
          resources:
          - {type: account, names: [account1]}
          - {type: zone, names: [zone1], reap-after: {busy: 20s}}
          """.utf8)))
    let leases = KeeperLeases(keeper: keeper, expiry: .seconds(60))
    #expect(await leases.expiry(of: "account", in: "busy") == .seconds(60))
    #expect(await leases.expiry(of: "account", in: "mine") == nil)
    #expect(await leases.expiry(of: "zone", in: "busy") == .seconds(20))
    #expect(await leases.expiry(of: "zone", in: "keep") == nil)
    #expect(LeaseHeart.pause(.seconds(20)) == .seconds(5))
    #expect(LeaseHeart.pause(.seconds(3600)) == .seconds(30))
  }

  @Test("A lease is got, held and handed back, and user data come with it", arguments: Place.allCases)
  func wholeLife(_ place: Place) async throws {
    try await withLeases(place) { leases, keeper in
      _ = try await keeper.acquire(names: ["account1"], state: "free", destination: "x", owner: "o")
      try await keeper.update("account1", owner: "o", state: "x", userData: ["id": "4711"])
      try await keeper.release("account1", destination: "free", owner: "o")

      let mine = request("drover-1/task-1/a")
      let got = try await leases.acquire(mine, patience: .milliseconds(10))
      let resource = LeasedResource(type: "account", name: "account1", state: "busy", userData: ["id": "4711"])
      #expect(got == .leased(resource))
      // The same again, as if the answer had been lost.
      #expect(try await leases.acquire(mine, patience: .milliseconds(10)) == got)
      let held = try #require(try await leases.held(by: mine.owner, type: "account"))
      #expect(held.map(\.name) == ["account1"])
      #expect(held[0].userData == (place == .here ? ["id": "4711"] : nil))
      #expect(try await leases.held(by: "other", type: "account") == [])

      let other = try await leases.acquire(request("other"), patience: .milliseconds(10))
      #expect(other == .waiting(before: place == .here ? 0 : nil))
      try await leases.leaveLine(request("other"))
      if place == .here { #expect(await keeper.waiting == 0) }

      try await leases.beat(resource, owner: mine.owner)
      await #expect(throws: LeaseFault.self) { try await leases.beat(resource, owner: "other") }
      await #expect(throws: LeaseFault.self) {
        try await leases.release("account1", type: "account", to: "dirty", owner: "other")
      }
      try await leases.release("account1", type: "account", to: "dirty", owner: mine.owner)
      #expect(await keeper.resource("account1")?.state == "dirty")
      await #expect(throws: LeaseFault.self) {
        try await leases.release("account1", type: "account", to: "dirty", owner: mine.owner)
      }
      await #expect(throws: LeaseFault.self) { try await leases.beat(resource, owner: mine.owner) }
    }
  }

  @Test("A type that there is not is named with those that there are", arguments: Place.allCases)
  func unknownType(_ place: Place) async throws {
    try await withLeases(place) { leases, _ in
      await #expect(throws: LeaseFault.typeUnknown(known: ["account", "zone"])) {
        try await leases.acquire(request("o", type: "acount"), patience: .milliseconds(10))
      }
    }
  }

  @Test("A lease that was taken back, or a resource that is gone, is not held any more", arguments: Place.allCases)
  func lost(_ place: Place) async throws {
    try await withLeases(place) { leases, keeper in
      guard case .leased(let resource) = try await leases.acquire(request("me"), patience: .milliseconds(10)) else {
        Issue.record("nothing was leased")
        return
      }
      _ = try await keeper.reset(type: "account", state: "busy", expiry: .zero, destination: "dirty")
      await #expect(throws: LeaseFault.self) { try await leases.beat(resource, owner: "me") }
      try await keeper.configure(PoolsConfiguration([.init(type: "zone", names: ["zone1"])]))
      await #expect(throws: LeaseFault.self) { try await leases.beat(resource, owner: "me") }
      await #expect(throws: LeaseFault.self) {
        try await leases.release("account1", type: "account", to: "free", owner: "me")
      }
    }
  }

  @Test("Pools that nobody runs cannot be asked, which is no refusal")
  func away() async throws {
    let section = try #require(
      try LeasesSection(
        ConfigReader(
          provider: InMemoryProvider(values: [["leases", "url"]: .init(.string("http://127.0.0.1:9"), isSecret: false)])
        )))
    let leases = RemoteLeases(section: section, surroundings: .system)
    let error = await #expect(throws: (any Error).self) {
      try await leases.acquire(request("me"), patience: .milliseconds(10))
    }
    #expect(!(error is LeaseFault))
  }

  @Test("A section 'leases' that cannot work is refused by its key")
  func section() throws {
    for (values, message) in [
      (["url": "pools:8080"], "configuration leases: the URL"),
      (["url": "http://pools:8080", "user": "drover"], "configuration leases: username and passwordFile"),
      (["url": "http://pools:8080", "expire": "soon"], "configuration leases.expire"),
    ] {
      let provider = InMemoryProvider(
        values: Dictionary(
          uniqueKeysWithValues: values.map { (AbsoluteConfigKey(["leases", $0]), .init(.string($1), isSecret: false)) })
      )
      let error = try #require(throws: DroverError.self) { try LeasesSection(ConfigReader(provider: provider)) }
      #expect("\(error)".hasPrefix(message), "\(error)")
    }
  }
}
