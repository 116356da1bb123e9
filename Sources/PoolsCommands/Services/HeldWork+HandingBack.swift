import Logging
import Pools
import PoolsClient
import PoolsProtocol
import Surroundings

/// Where what was held goes, and how it is given back.
extension HeldWork {
  /// Where to a resource goes whose work has failed: dirty, or aside when it failed too often.
  func destination(afterFailure resource: PooledResource, _ program: ServiceProgram) -> String {
    let count = failures[resource]
    guard let limit = program.quarantineAfter, count >= limit else { return ResourceState.dirty }
    failures.forget(resource)
    logger.error(
      "put aside: it failed too often",
      metadata: ["type": "\(resource.type)", "name": "\(resource.name)", "times": "\(count)"])
    return program.quarantineState ?? "quarantine"
  }

  /// Hands back, also when this task is cancelled: in a task of its own. What goes wrong is only said; what lasting work
  /// was done to is handed back again and again until the server takes it, or says that somebody else holds it.
  func handBack(_ destinations: [(PooledResource, String)]) async {
    var rest = destinations
    var pause = Duration.milliseconds(500)
    while true {
      let now = rest
      rest = await access.surroundings.task { await releaseOnce(now) }.value
      guard let lasting, let lease = destinations.first?.0.owner else { return }
      if rest.isEmpty { return await lasting.forget(lease) }
      // The next server does it.
      do { try await access.surroundings.sleep(pause) } catch { return }
      pause = min(pause * 2, .seconds(30))
    }
  }

  /// - Returns: what is still held.
  private func releaseOnce(_ destinations: [(PooledResource, String)]) async -> [(PooledResource, String)] {
    var rest: [(PooledResource, String)] = []
    for (resource, state) in destinations {
      do {
        try await access.release(resource, to: state)
      } catch {
        logger.error("handing back failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
        if (error as? PoolsClientError)?.isRefusal != true { rest.append((resource, state)) }
      }
    }
    return rest
  }
}
