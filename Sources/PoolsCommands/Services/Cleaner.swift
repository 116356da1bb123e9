public import Logging
public import PoolsClient
import PoolsProtocol
import Surroundings

/// Takes down dynamic resources that are to be deleted: frees what they leased, and makes them tombstones, which the
/// server removes (reference/boskos.md 10).
public struct Cleaner: Sendable {
  private let access: any PoolsAccess
  private let types: TypeSource
  private let turns: Turns
  private let logger: Logger

  /// - Parameter count: how many are taken down beside each other.
  public init(_ access: any PoolsAccess, types: TypeSource, count: Int = 15, logger: Logger) {
    self.access = access
    self.types = types
    self.logger = logger
    turns = Turns(width: count)
  }

  /// Every 15 seconds, until the task is cancelled.
  public func run() async {
    while true {
      do { try await access.surroundings.sleep(.seconds(15)) } catch { return }
      await pass()
    }
  }

  /// All that are to be deleted.
  public func pass() async {
    await withDiscardingTaskGroup { group in
      await turns.round(await types.types(logger), in: &group) { type in
        do {
          return try await access.acquireIfAny(
            type: type, from: ResourceState.toBeDeleted, to: ResourceState.cleaning)
        } catch {
          logger.warning("acquiring failed", metadata: ["type": "\(type)", "error": "\(error)"])
          return nil
        }
      } work: { resource in
        await takeDown(resource)
      }
    }
  }

  /// What goes wrong with what it leased is only said. It is finished also when this task is cancelled meanwhile.
  private func takeDown(_ resource: PooledResource) async -> Bool {
    await access.surroundings.task {
      do {
        if try await !LeasedResources.recycle(resource, access, to: ResourceState.cleaning) {
          logger.debug("it leases nothing", metadata: ["name": "\(resource.name)"])
        }
      } catch {
        logger.warning("freeing what it leases failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
      }
      do {
        try await access.release(resource, to: ResourceState.tombstone)
        return true
      } catch {
        logger.warning("taking down failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
        return false
      }
    }.value
  }
}
