import PoolsProtocol
import Synchronization

/// What is held, while it becomes more.
final class Held: Sendable {
  private let resources: Mutex<[PooledResource]>
  init(_ resources: [PooledResource]) { self.resources = Mutex(resources) }
  var all: [PooledResource] { resources.withLock { $0 } }
  func add(_ resource: PooledResource) { resources.withLock { $0.append(resource) } }
}
