import Blobs
import Documents
import Surroundings
import Synchronization

/// Archives of logs stay for ten days, as BOSH keeps them, for who has not fetched them yet.
struct LogBundles: Sendable {
  /// Seconds: ten days, and as long as one that was kept before may be given out again (``RecentArchives``).
  static let lifetime = 10 * 24 * 3600 + RecentArchives.lifetime

  let director: Director

  /// When those whose time is over were last deleted, in seconds since 1970. Looking for them means reading all records.
  final class Sweep: Sendable {
    static let interval = 3600
    private let last = Mutex(0)

    /// Whether it is time again; it is noted as done then.
    func isDue(_ now: Int) -> Bool {
      last.withLock { last in
        guard now - last >= Self.interval || now < last else { return false }
        last = now
        return true
      }
    }
  }

  /// Notes a new one, and deletes those whose time is over, once an hour.
  func keep(_ blob: String) async throws {
    let now = director.engines.surroundings.now().seconds
    let bundles = director.records.logBundles
    try await bundles.put(blob, LogBundleRecord(blobID: blob, createdAt: now))
    guard director.logSweep.isDue(now) else { return }
    for old in try await bundles.list().map(\.body) where old.createdAt < now - Self.lifetime {
      try? await director.engines.blobs.delete(old.blobID)
      try await bundles.delete(old.blobID)
    }
  }
}

/// Kind `log-bundle`, named by its blob's id; gone with the blob.
struct LogBundleRecord: Codable, Sendable, Hashable {
  var blobID: String
  /// Seconds since 1970.
  var createdAt: Int
}
