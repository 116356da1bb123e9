import Director
import Files
import Formats
import Glibc
import PoolsAPI
import Processes
import ServiceLifecycle
import UnixSignals

extension Server {
  /// The pools, when there are any.
  func pools() async throws -> PoolsServer? {
    guard let section = configuration.pools else { return nil }
    return try await .prepare(
      section.configuration(database: files.pools), surroundings: surroundings, logger: logger.in("pools"))
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
    let lock = try await files.lock(surroundings)
    defer { lock.release() }
    try SmallFile.write("\(getpid())\n", to: files.pidfile)
    defer { unlink(files.pidfile) }
    guard let pools = try await pools() else {
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
