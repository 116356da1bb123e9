import Files
import Formats
public import Logging
public import Pools
import Synchronization

/// Which types a service cares for, and what is wanted of them: a list, what a file of resources has, both, or what a
/// server has in use.
public struct TypeSource: Sendable {
  private let listed: [String]
  private let read: (@Sendable () async throws -> PoolsConfiguration)?
  private let onlyDynamic: Bool
  private let last = Last()

  private final class Last: Sendable {
    let configuration = Mutex(PoolsConfiguration())
  }

  /// - Throws: ``DroverError`` with code `invalid` when there is neither, or the file cannot be used.
  public init(types: [String], file: String?, onlyDynamic: Bool = false) throws {
    guard !types.isEmpty || file != nil else {
      throw DroverError(.invalid, "--resource-type or --resource-type-from-config must be set")
    }
    listed = types
    self.onlyDynamic = onlyDynamic
    guard let file else {
      read = nil
      return
    }
    let first = try Self.load(file)
    last.configuration.withLock { $0 = first }
    read = { try Self.load(file) }
  }

  /// What a server has in use, whenever it is looked at.
  public init(onlyDynamic: Bool = false, configuration: @escaping @Sendable () async -> PoolsConfiguration) {
    listed = []
    self.onlyDynamic = onlyDynamic
    read = configuration
  }

  private static func load(_ file: String) throws -> PoolsConfiguration {
    try PoolsConfiguration.load(try Files.read(file, limit: 256 << 20))
  }

  /// The configuration now. A file that has faults meanwhile does not count: what it had before does.
  public func configuration(_ logger: Logger) async -> PoolsConfiguration {
    if let read {
      do {
        let configuration = try await read()
        last.configuration.withLock { $0 = configuration }
      } catch {
        logger.warning("the file of resources has faults; what it had before counts", metadata: ["error": "\(error)"])
      }
    }
    return last.configuration.withLock { $0 }
  }

  /// The types now, sorted.
  public func types(_ logger: Logger) async -> [String] { types(of: await configuration(logger)) }

  func types(of configuration: PoolsConfiguration) -> [String] {
    let found = onlyDynamic ? configuration.entries.filter(\.isDynamic).map(\.type) : configuration.types
    return Set(listed + found).sorted()
  }
}
