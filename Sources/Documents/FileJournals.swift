import Dispatch
import Files
import Formats
import Surroundings

/// Journals as files under a folder, each at the path that its name says.
///
/// An append is one `write` that has returned, so it survives the end of the process; an append that fails in the middle
/// (a full disk) is taken back. Nothing is kept open between calls, so there may be any number of journals.
public final class FileJournals: Journals {
  public let folder: String
  private let signal = GrowthSignal()
  /// Appends to one journal are done one after the other, those to different ones mostly side by side.
  private let lanes: [DispatchQueue]

  /// Opens the folder, and makes it when it is not there.
  public init(folder: String) throws {
    self.folder = folder
    lanes = (0..<8).map { DispatchQueue(label: "drover.journals.\($0)") }
    try Files.makeFolder(folder, mode: 0o700)
  }

  private func path(_ name: String) throws -> String {
    try "\(folder)/\(JournalName.parts(name).joined(separator: "/"))"
  }

  /// Runs file work on a journal after whatever was asked of it before.
  private func inLane<Result: Sendable>(
    _ name: String, _ work: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let lane = lanes[name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % lanes.count]
    return try await withCheckedThrowingContinuation { continuation in
      lane.async { continuation.resume(with: Swift.Result { try work() }) }
    }
  }

  @discardableResult
  public func append(_ name: String, _ bytes: [UInt8]) async throws -> Int64 {
    let path = try path(name)
    let size = try await inLane(name) {
      let file = try Self.open(path)
      let size = try file.size()
      do {
        try file.write(bytes)
      } catch {
        try? file.truncate(to: size)
        throw error
      }
      return size + Int64(bytes.count)
    }
    signal.grown(name, to: size)
    return size
  }

  private static func open(_ path: String) throws -> OpenFile {
    do {
      return try OpenFile(appending: path, mode: 0o600)
    } catch let error as DroverError where error.code == .notFound {
      try Files.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), mode: 0o700)
      return try OpenFile(appending: path, mode: 0o600)
    }
  }

  public func read(_ name: String, from offset: Int64, limit: Int) async throws -> [UInt8] {
    let path = try path(name)
    guard offset >= 0, limit > 0 else { return [] }
    return try await blocking {
      guard let size = try Files.size(path), size > offset else { return [] }
      return try OpenFile(reading: path).read(min(limit, size - Int(offset)), at: offset)
    }
  }

  public func size(_ name: String) async throws -> Int64? {
    let path = try path(name)
    return try await blocking { try Files.size(path).map(Int64.init) }
  }

  public func wait(_ name: String, beyond size: Int64) async throws -> Int64 {
    let path = try path(name)
    try await signal.wait(name, beyond: size) { (try? Files.size(path)).map(Int64.init) ?? 0 }
    return try await self.size(name) ?? 0
  }

  public func sync(_ name: String) async throws {
    let path = try path(name)
    try await blocking {
      try OpenFile(reading: path).sync()
      try Files.syncFolder(of: path)
    }
  }

  public func mend(_ name: String) async throws {
    let path = try path(name)
    try await inLane(name) {
      guard let size = try Files.size(path), size > 0 else { return }
      try OpenFile(appending: path, mode: 0o600).truncate(to: try Self.endOfLines(OpenFile(reading: path), Int64(size)))
    }
  }

  /// Where the last line that is complete ends.
  private static func endOfLines(_ file: OpenFile, _ size: Int64) throws -> Int64 {
    var end = size
    while end > 0 {
      let start = max(0, end - 65_536)
      let bytes = try file.read(Int(end - start), at: start)
      if let index = bytes.lastIndex(of: 0x0A) { return start + Int64(index) + 1 }
      end = start
    }
    return 0
  }

  public func list(under path: String) async throws -> [String] {
    let folder = path.isEmpty ? folder : try self.path(path)
    let prefix = path.isEmpty ? "" : path + "/"
    return try await blocking {
      try Self.files(in: folder).map { prefix + $0 }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
  }

  private static func files(in folder: String) throws -> [String] {
    guard try Files.isFolder(folder) else { return [] }
    return try Files.names(in: folder).flatMap { name in
      let path = "\(folder)/\(name)"
      return try Files.isFolder(path) ? try files(in: path).map { "\(name)/\($0)" } : [name]
    }
  }

  public func remove(_ name: String) async throws {
    let path = try path(name)
    let names = try await list(under: name) + [name]
    try await inLane(name) { try Files.remove(path) }
    for name in names { signal.wake(name) }
  }
}
