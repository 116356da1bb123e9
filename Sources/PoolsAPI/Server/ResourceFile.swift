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
  private var mark: Mark

  /// Tells one state of a file from the next; also when a link on the way to it points elsewhere now.
  private struct Mark: Hashable {
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var size: Int = 0
    var seconds: Int = 0
    var nanoseconds: Int = 0

    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  /// - Throws: when it cannot be read, or has faults.
  static func load(_ path: String, hasErrands: Bool) async throws -> ResourceFile {
    try await blocking {
      guard let mark = Mark(path) else {
        throw DroverError(.notFound, "reading the resources: open \(path): \(systemErrorText(errno))")
      }
      let configuration = try PoolsConfiguration.load(try read(path, limit: 256 << 20))
      if !hasErrands { try configuration.requireNoErrands() }
      return ResourceFile(path: path, hasErrands: hasErrands, configuration: configuration, mark: mark)
    }
  }

  /// The same file as it is now; nil when nothing has changed.
  func changed() async throws -> ResourceFile? {
    let (path, mark, hasErrands) = (path, mark, hasErrands)
    guard await (try? blocking { Mark(path) }) != mark else { return nil }
    return try await Self.load(path, hasErrands: hasErrands)
  }

  static func read(_ path: String, limit: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DroverError(.notFound, "open \(path): \(systemErrorText(errno))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw systemError("read \(path)") }
      if count == 0 { return bytes }
      bytes += piece[..<count]
      guard bytes.count <= limit else { throw DroverError(.tooLarge, "\(path) has more than \(limit) bytes") }
    }
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
