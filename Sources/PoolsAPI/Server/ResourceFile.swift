import Files
import Formats
import Glibc
import Logging
import Pools
import ServiceLifecycle
import Surroundings

/// The file of resources, and what it was when it was read.
struct ResourceFile: Sendable {
  let path: String
  /// Whether somebody runs the errands that it names.
  let hasErrands: Bool
  private(set) var configuration: PoolsConfiguration
  /// Which file it was and its state; another one also when a link on the way to it points elsewhere now.
  private var mark: FileIdentity

  /// - Throws: when it cannot be read, or has faults.
  static func load(_ path: String, hasErrands: Bool) async throws -> ResourceFile {
    try await blocking {
      guard let mark = try FileIdentity(path) else {
        throw DroverError(.notFound, "reading the resources: open \(path): \(systemErrorText(ENOENT))")
      }
      let configuration = try PoolsConfiguration.load(try read(path, limit: 256 << 20))
      if !hasErrands { try configuration.requireNoErrands() }
      return ResourceFile(path: path, hasErrands: hasErrands, configuration: configuration, mark: mark)
    }
  }

  /// The same file as it is now; nil when nothing has changed.
  func changed() async throws -> ResourceFile? {
    let (path, mark, hasErrands) = (path, mark, hasErrands)
    guard await (try? blocking { try FileIdentity(path) }) != mark else { return nil }
    return try await Self.load(path, hasErrands: hasErrands)
  }

  static func read(_ path: String, limit: Int) throws -> [UInt8] {
    guard let bytes = try Files.bytes(path, limit: limit) else {
      throw DroverError(.notFound, "open \(path): \(systemErrorText(ENOENT))")
    }
    return bytes
  }
}

/// Follows the file while the server runs. A faulty file changes nothing.
struct ResourceFileWatch: Service {
  let file: ResourceFile
  let keeper: PoolKeeper
  let metrics: PoolMetrics
  let surroundings: Surroundings
  let logger: Logger

  func run() async throws { await cancelWhenGracefulShutdown { await follow() } }

  private func follow() async {
    var file = file
    var said: String?
    while !Task.isCancelled {
      do {
        try await surroundings.sleep(.seconds(1))
        guard let changed = try await file.changed() else {
          // Back to what is in use.
          if said != nil {
            metrics.configured(fault: nil)
            await keeper.noteConfiguration(fault: nil)
          }
          said = nil
          continue
        }
        try await keeper.configure(changed.configuration)
        file = changed
        said = nil
        metrics.configured(fault: nil)
        await keeper.noteConfiguration(fault: nil)
        logger.notice("the resources were read anew", metadata: ["file": "\(file.path)"])
      } catch is CancellationError {
        return
      } catch {
        let fault = "\(error)"
        if said != fault {
          metrics.configured(fault: fault)
          await keeper.noteConfiguration(fault: fault)
          logger.error(
            "the new resources have faults; the old ones stay in use",
            metadata: ["file": "\(file.path)", "error": "\(error)"])
        }
        said = fault
      }
    }
  }
}
