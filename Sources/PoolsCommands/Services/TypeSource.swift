import Formats
public import Logging
import Pools
import Processes
import Synchronization

/// Which types a service cares for: a list, what a file of resources has, or both.
public struct TypeSource: Sendable {
  private let listed: [String]
  private let file: String?
  private let onlyDynamic: Bool
  private let last = Last()

  private final class Last: Sendable {
    let types = Mutex([String]())
  }

  /// - Throws: ``DroverError`` with code `invalid` when there is neither, or the file cannot be used.
  public init(types: [String], file: String?, onlyDynamic: Bool = false) throws {
    guard !types.isEmpty || file != nil else {
      throw DroverError(.invalid, "--resource-type or --resource-type-from-config must be set")
    }
    listed = types
    self.file = file
    self.onlyDynamic = onlyDynamic
    if let file { try read(file) }
  }

  private func read(_ file: String) throws {
    let configuration = try PoolsConfiguration.load(try Files.read(file, limit: 256 << 20))
    let types = onlyDynamic ? configuration.entries.filter(\.isDynamic).map(\.type) : configuration.types
    last.types.withLock { $0 = types }
  }

  /// The types now, sorted. A file that has faults meanwhile does not count: what it had before does.
  public func types(_ logger: Logger) -> [String] {
    if let file {
      do {
        try read(file)
      } catch {
        logger.warning("the file of resources has faults; what it had before counts", metadata: ["error": "\(error)"])
      }
    }
    return Set(listed + last.types.withLock { $0 }).sorted()
  }
}
