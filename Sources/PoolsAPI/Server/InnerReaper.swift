import Logging
import Pools
import PoolsProtocol
import ServiceLifecycle
import Surroundings

/// The reaper inside a server: takes back, each minute, what its holder has not spoken of for long.
struct InnerReaper: Service {
  let keeper: PoolKeeper
  let expiry: Duration
  let surroundings: Surroundings
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await surroundings.sleep(.seconds(60)) } catch { return }
        await pass()
      }
    }
  }

  /// From busy, cleaning and leased to dirty, all types.
  func pass() async {
    for pool in await keeper.metrics() {
      for state in [ResourceState.busy, ResourceState.cleaning, ResourceState.leased] where pool.current[state] != nil {
        do {
          _ = try await keeper.reset(type: pool.type, state: state, expiry: expiry, destination: ResourceState.dirty)
        } catch {
          logger.error(
            "taking back failed", metadata: ["type": "\(pool.type)", "state": "\(state)", "error": "\(error)"])
        }
      }
    }
  }
}
