import Logging
import Pools
import PoolsProtocol
import ServiceLifecycle
import Surroundings

/// The reaper inside a server: takes back, each minute, what its holder has not spoken of for long. It rests where the
/// configuration has no times.
struct InnerReaper: Service {
  let keeper: PoolKeeper
  /// For types whose configuration does not say it; nil leaves them alone.
  let expiry: Duration?
  let target = ResourceState.dirty
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

  /// All types, each with its own times, or from busy, cleaning and leased.
  func pass() async {
    let policies = await keeper.configuration.policies
    for pool in await keeper.metrics() {
      let policy = policies[pool.type]?.reaping ?? ReapingPolicy(usual: expiry)
      for (state, expiry) in policy.states(among: pool.current.keys) {
        do {
          _ = try await keeper.reset(type: pool.type, state: state, expiry: expiry, destination: target)
        } catch {
          logger.error(
            "taking back failed", metadata: ["type": "\(pool.type)", "state": "\(state)", "error": "\(error)"])
        }
      }
    }
  }
}
