import Formats
public import Logging
public import PoolsClient
import PoolsProtocol
public import Surroundings

/// Takes down dynamic resources that are to be deleted: frees what they leased, and makes them tombstones, which the
/// server removes (reference/boskos.md 10).
public struct Cleaner: Sendable {
  private let client: PoolsClient
  private let types: TypeSource
  private let surroundings: Surroundings
  private let logger: Logger

  public init(client: PoolsClient, types: TypeSource, surroundings: Surroundings, logger: Logger) {
    self.client = client
    self.types = types
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Every 15 seconds, until the task is cancelled.
  public func run() async {
    while true {
      do { try await surroundings.sleep(.seconds(15)) } catch { return }
      await pass()
    }
  }

  /// All that are to be deleted, type by type.
  public func pass() async {
    for type in types.types(logger) {
      while !Task.isCancelled {
        do {
          let resource = try await client.acquire(
            type: type, from: ResourceState.toBeDeleted, to: ResourceState.cleaning)
          await recycle(resource)
          try await client.release(resource.name, to: ResourceState.tombstone)
        } catch {
          let isNothing = [PoolsClientError.notFound, .typeNotFound].contains { $0 == error as? PoolsClientError }
          if !isNothing {
            logger.warning("taking down failed", metadata: ["type": "\(type)", "error": "\(error)"])
          }
          break
        }
      }
    }
  }

  /// Frees what the resource was built from. What goes wrong is only said.
  private func recycle(_ resource: PooledResource) async {
    guard let names = LeasedResources.names(resource.userData) else {
      logger.warning("it leases nothing", metadata: ["name": "\(resource.name)"])
      return
    }
    do {
      if !names.isEmpty {
        let leased = try await client.acquire(names: names, from: resource.name, to: ResourceState.cleaning)
        for one in leased { try await client.release(one.name, to: ResourceState.dirty) }
      }
      try await client.update(
        resource.name, state: ResourceState.cleaning, userData: [LeasedResources.key: ""])
    } catch {
      logger.warning("freeing what it leases failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
  }
}

/// What a resource was built from: a YAML list of names in its user data.
enum LeasedResources {
  static let key = "leasedResources"

  /// Nil when nothing is said of it.
  static func names(_ userData: [String: String]) -> [String]? {
    guard let text = userData[key], let value = try? YAML.parse(text) else { return nil }
    return value.array?.compactMap(\.string) ?? []
  }

  static func text(_ names: [String]) -> String { YAML.text(.array(names.map(Value.string))) }
}
