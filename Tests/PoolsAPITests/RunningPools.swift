import ServiceLifecycle
import Surroundings
import TestSupport

@testable import Pools
@testable import PoolsAPI

/// A whole server of pools inside a test: with its file of resources, on three ports of its own.
struct RunningPools: Sendable {
  let keeper: PoolKeeper
  let file: String
  let api: String
  let health: String
  let metrics: String
  let log: KeptLog

  /// Runs a test with a server.
  ///
  /// - Parameters:
  ///   - database: nil keeps everything in memory.
  ///   - file: the file of resources, which is there.
  static func with(
    file: String, database: String?, log: KeptLog = KeptLog(), surroundings: Surroundings = .impatient,
    _ test: (RunningPools) async throws -> Void
  ) async throws {
    let (port, healthPort, metricsPort) = (try freePort(), try freePort(), try freePort())
    let server = try await PoolsServer.prepare(
      .init(resources: file, port: port, healthPort: healthPort, metricsPort: metricsPort, database: database),
      surroundings: surroundings, logger: log.logger)
    let group = ServiceGroup(services: server.services, logger: log.logger)
    let running = Task { try await group.run() }
    let pools = RunningPools(
      keeper: server.keeper, file: file, api: "http://127.0.0.1:\(port)", health: "http://127.0.0.1:\(healthPort)",
      metrics: "http://127.0.0.1:\(metricsPort)", log: log)
    do {
      try await until { (try? await TestHTTP.send("GET", pools.health + "/healthz/ready"))?.status == 200 }
      try await until { (try? await TestHTTP.send("GET", pools.metrics + "/metrics"))?.status == 200 }
      try await test(pools)
    } catch {
      await group.triggerGracefulShutdown()
      try? await running.value
      try? await server.close()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await running.value
    try await server.close()
  }

  func post(_ call: String, body: String? = nil) async throws -> TestHTTP.Answer {
    try await TestHTTP.send("POST", api + call, body: body.map { Array($0.utf8) })
  }
}

extension Surroundings {
  /// The system's, but who waits a second has waited after some milliseconds.
  static var impatient: Surroundings {
    var surroundings = Surroundings.system
    let sleep = surroundings.sleep
    surroundings.sleep = { duration in try await sleep(duration / 100) }
    return surroundings
  }
}
