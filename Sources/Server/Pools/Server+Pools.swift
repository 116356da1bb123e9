import Director
import Files
import Formats
import Glibc
import Logging
import Pools
import PoolsAPI
import PoolsCommands
import Processes
import ServiceLifecycle
import UnixSignals

extension Server {
  /// The pools, when there are any, with the services that work on them.
  ///
  /// - Parameter hasErrands: whether there is a director that runs the errands which the file of resources names.
  func pools(hasErrands: Bool) async throws -> PoolsServer? {
    guard let section = configuration.pools else {
      // Those that an earlier configuration had.
      unlink(files.poolsAddress)
      return nil
    }
    var pools = try await PoolsServer.prepare(
      section.configuration(database: files.pools, sealKeyFile: keyFile, hasErrands: hasErrands),
      surroundings: surroundings,
      logger: logger.in("pools"))
    let host = section.address == "0.0.0.0" ? "127.0.0.1" : section.address
    try Files.replace(files.poolsAddress, with: "\(host):\(section.port)\n")
    // Before the others, and so ended after them: what they hand back at their end is taken.
    pools.services.insert(contentsOf: poolServices(section, pools.keeper), at: 1)
    return pools
  }

  private func poolServices(_ section: PoolsSection, _ keeper: PoolKeeper) -> [any Service] {
    func access(_ owner: String) -> LocalPools { LocalPools(keeper, owner: owner, surroundings: surroundings) }
    let configuration: @Sendable () async -> PoolsConfiguration = { await keeper.configuration }
    var services: [any Service] = []
    if section.services.contains(.janitor) {
      let janitor = Janitor(
        access("Janitor"), types: TypeSource(configuration: configuration),
        settings: .init(poolSize: section.janitorPoolSize), logger: logger.in("janitor"))
      services.append(PoolService { await janitor.run(pause: .seconds(5)) })
    }
    if section.services.contains(.mason) {
      let mason = Mason(
        access("mason"), types: TypeSource(configuration: configuration),
        settings: .init(poolSize: section.masonPoolSize, pause: .seconds(5)), logger: logger.in("mason"))
      services.append(PoolService { await mason.run() })
    }
    if section.services.contains(.cleaner) {
      let cleaner = Cleaner(
        access("cleaner"), types: TypeSource(onlyDynamic: true, configuration: configuration),
        logger: logger.in("cleaner"))
      services.append(PoolService { await cleaner.run() })
    }
    return services
  }

  /// What has errands of the director clean and build, wherever the file of resources names some. To be done while the
  /// director runs.
  func poolErrands(_ pools: PoolsServer?, _ director: Director) -> (@Sendable () async -> Void)? {
    guard let section = configuration.pools, let keeper = pools?.keeper else { return nil }
    let configuration: @Sendable () async -> PoolsConfiguration = { await keeper.configuration }
    let heartbeat = min(.seconds(30), (section.reaperExpiry ?? .seconds(120)) / 4)
    func holders(_ service: String) -> LocalHolders {
      LocalHolders(keeper, service: service, surroundings: surroundings)
    }
    func worker(_ logger: Logger) -> ErrandWorker {
      ErrandWorker(runner: director, keeper: keeper, surroundings: surroundings, logger: logger)
    }
    let janitor = Janitor(
      LocalPools(keeper, owner: "janitor-errand", surroundings: surroundings), holders: holders("janitor-errand"),
      types: TypeSource(configuration: configuration),
      settings: .init(poolSize: section.janitorPoolSize, updateFrequency: heartbeat),
      worker: worker(logger.in("janitor")), logger: logger.in("janitor"))
    let mason = Mason(
      LocalPools(keeper, owner: "mason-errand", surroundings: surroundings), holders: holders("mason-errand"),
      types: TypeSource(configuration: configuration),
      settings: .init(poolSize: section.masonPoolSize, pause: .seconds(2), heartbeat: heartbeat),
      worker: worker(logger.in("mason")), logger: logger.in("mason"))
    return {
      await withDiscardingTaskGroup { group in
        group.addTask { await janitor.run(pause: .seconds(2)) }
        group.addTask { await mason.run() }
      }
    }
  }

  /// Where errands lease what they need.
  func leases(_ pools: PoolsServer?) -> (any ResourceLeases)? {
    if let section = configuration.leases { return RemoteLeases(section: section, surroundings: surroundings) }
    return pools.map { KeeperLeases(keeper: $0.keeper, expiry: configuration.pools?.reaperExpiry) }
  }

  /// Runs nothing but the pools, until it is told to stop.
  ///
  /// - Throws: ``DroverError`` with code `invalid` when no resources are configured.
  public func runPools() async throws {
    try files.prepare()
    let lock = try await files.lock()
    defer { lock.release() }
    try Files.replace(files.pidfile, with: "\(getpid())\n")
    defer { unlink(files.pidfile) }
    guard let pools = try await pools(hasErrands: false) else {
      throw DroverError(.invalid, "configuration pools.resources: missing; expected the path of a file of resources")
    }
    let services = ServiceGroup(
      configuration: .init(
        services: pools.services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger))
    try await services.run()
    try await pools.close()
  }
}

/// One of the services that work on the pools.
private struct PoolService: Service {
  let work: @Sendable () async -> Void

  func run() async throws { await cancelWhenGracefulShutdown { await work() } }
}
