import Synchronization

/// Journals in memory, for tests and simulation.
public final class MemoryJournals: Journals {
  private let journals = Mutex<[String: [UInt8]]>([:])
  private let signal = GrowthSignal()

  public init() {}

  @discardableResult
  public func append(_ name: String, _ bytes: [UInt8]) async throws -> Int64 {
    _ = try JournalName.parts(name)
    let size = journals.withLock { journals in
      journals[name, default: []] += bytes
      return Int64(journals[name]?.count ?? 0)
    }
    signal.grown(name, to: size)
    return size
  }

  public func read(_ name: String, from offset: Int64, limit: Int) async throws -> [UInt8] {
    _ = try JournalName.parts(name)
    return journals.withLock { journals in
      guard let bytes = journals[name], offset >= 0, offset < bytes.count, limit > 0 else { return [] }
      return Array(bytes[Int(offset)...].prefix(limit))
    }
  }

  public func size(_ name: String) async throws -> Int64? {
    _ = try JournalName.parts(name)
    return journals.withLock { $0[name].map { Int64($0.count) } }
  }

  public func wait(_ name: String, beyond size: Int64) async throws -> Int64 {
    _ = try JournalName.parts(name)
    try await signal.wait(name, beyond: size) { self.bytes(in: name) }
    return bytes(in: name)
  }

  public func sync(_ name: String) async throws { _ = try JournalName.parts(name) }

  public func mend(_ name: String) async throws {
    _ = try JournalName.parts(name)
    journals.withLock { journals in
      guard let bytes = journals[name] else { return }
      journals[name] = Array(bytes.prefix((bytes.lastIndex(of: 0x0A) ?? -1) + 1))
    }
  }

  public func list(under path: String) async throws -> [String] {
    if !path.isEmpty { _ = try JournalName.parts(path) }
    let prefix = path.isEmpty ? "" : path + "/"
    return journals.withLock { $0.keys.filter { $0.hasPrefix(prefix) } }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  public func remove(_ name: String) async throws {
    _ = try JournalName.parts(name)
    let removed = journals.withLock { journals in
      let names = journals.keys.filter { $0 == name || $0.hasPrefix(name + "/") }
      for name in names { journals[name] = nil }
      return names
    }
    for name in removed { signal.wake(name) }
  }

  private func bytes(in name: String) -> Int64 { journals.withLock { Int64($0[name]?.count ?? 0) } }
}
