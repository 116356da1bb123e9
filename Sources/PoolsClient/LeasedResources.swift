import Formats
public import PoolsProtocol
import Surroundings

/// What a resource was built from: a YAML list of names in its user data. Those have its name as their state
/// (reference/boskos.md 11).
public enum LeasedResources {
  public static let key = "leasedResources"

  /// Nil when nothing is said of it.
  public static func names(_ userData: [String: String]) -> [String]? {
    guard let text = userData[key], let value = try? YAML.parse(text) else { return nil }
    return value.array?.compactMap(\.string) ?? []
  }

  public static func text(_ names: [String]) -> String { YAML.text(.array(names.map(Value.string))) }

  /// Hands back what a resource that the caller holds was built from.
  ///
  /// - Parameter state: in which it is held meanwhile.
  /// - Returns: whether the resource says what it was built from.
  @discardableResult
  public static func recycle(
    _ resource: PooledResource, _ access: some PoolsAccess, to state: String
  ) async throws -> Bool {
    guard let names = names(resource.userData) else { return false }
    // One after the other: one that is not there any more keeps no other from being handed back.
    for name in names {
      do {
        for one in try await access.acquire(names: [name], type: nil, from: resource.name, to: state) {
          try await access.release(one, to: ResourceState.dirty)
        }
      } catch PoolsClientError.notFound {
        continue
      }
    }
    try await access.update(resource, userData: [key: ""])
    return true
  }
}

/// A resource that a mason has built, leased with all that it was built from.
public struct BuiltLease: Sendable, Hashable {
  public var resource: PooledResource
  /// What it was built from, held as well.
  public var parts: [PooledResource]
  public var all: [PooledResource] { [resource] + parts }
}

extension PoolsAccess {
  /// Leases a resource together with what it was built from, if there is one now. One that was built from nothing is
  /// leased alone.
  ///
  /// - Throws: ``PoolsClientError``; when the parts cannot be leased, the resource has been handed back dirty.
  public func acquireBuilt(
    type: String, from state: String, to destination: String
  ) async throws -> BuiltLease {
    try await withParts(try await acquire(type: type, from: state, to: destination), destination)
  }

  /// The same, waiting in line for it; nil waits until the task is cancelled.
  public func acquireBuiltWaiting(
    type: String, from state: String, to destination: String, timeout: Duration? = nil
  ) async throws -> BuiltLease {
    let resource = try await acquireWaiting(
      type: type, from: state, to: destination, requestID: nil, timeout: timeout)
    return try await withParts(resource, destination)
  }

  private func withParts(_ resource: PooledResource, _ destination: String) async throws -> BuiltLease {
    do {
      let names = LeasedResources.names(resource.userData) ?? []
      // They have its name as their state.
      let parts =
        names.isEmpty ? [] : try await acquire(names: names, type: nil, from: resource.name, to: destination)
      return BuiltLease(resource: resource, parts: parts)
    } catch {
      // Also when this task is cancelled: in a task of its own.
      try? await surroundings.task { try await release(resource, to: ResourceState.dirty) }.value
      throw error
    }
  }

  /// Says that all of it is still held; user data are for the resource itself.
  public func update(_ lease: BuiltLease, userData: [String: String]? = nil) async throws {
    try await update(lease.resource, userData: userData)
    for part in lease.parts { try await update(part) }
  }

  /// Hands all of it back in the same state, also when some of it cannot be handed back.
  ///
  /// - Throws: the first failure.
  public func release(_ lease: BuiltLease, to destination: String) async throws {
    var failure: (any Error)?
    for one in lease.all {
      do { try await release(one, to: destination) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }
}
