import PoolsProtocol
import Synchronization

/// How often work on resources has failed, one time after the other, and what has been said of types.
final class WorkFailures: Sendable {
  /// More are not remembered.
  private static let most = 100_000
  private let counts = Mutex([String: Int]())
  /// Why types cannot be worked on.
  private let obstacles = Mutex([String: String]())
  /// Types that are left to others.
  private let left = Mutex(Set<String>())

  private static func key(_ resource: PooledResource) -> String { "\(resource.name)/\(resource.type)" }

  subscript(resource: PooledResource) -> Int { counts.withLock { $0[Self.key(resource)] ?? 0 } }

  /// - Parameter told: what the server has counted.
  func count(_ resource: PooledResource, failed: Bool, told: Int?) {
    let key = Self.key(resource)
    counts.withLock { counts in
      guard failed else {
        counts[key] = nil
        return
      }
      if counts.count > Self.most { counts = [:] }
      counts[key] = max((counts[key] ?? 0) + 1, told ?? 0)
    }
  }

  /// Whether that has not been said of the type yet.
  func isNew(_ obstacle: String?, of type: String) -> Bool {
    obstacles.withLock { obstacles in
      guard obstacles[type] != obstacle else { return false }
      obstacles[type] = obstacle
      return true
    }
  }

  func isLeftNewly(_ type: String) -> Bool { left.withLock { $0.insert(type).inserted } }

  func forget(_ resource: PooledResource) { counts.withLock { $0[Self.key(resource)] = nil } }
}
