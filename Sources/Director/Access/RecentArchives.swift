import Synchronization

/// Short archives of logs that were kept lately, by their bytes: of many errands on many instances most archives are the
/// same, mostly that of no logs, and one blob does for all of them.
///
/// In memory alone: a new server keeps one anew.
final class RecentArchives: Sendable {
  /// Seconds for which one is given out again.
  static let lifetime = 3600
  /// Longer ones are hardly ever the same.
  static let longest = 16 << 10

  private struct Kept {
    let blobID: String
    /// Seconds since 1970.
    let since: Int
  }

  private let kept = Mutex<[String: Kept]>([:])

  /// The blob that has these bytes; nil when there is none, or none that is new enough.
  func blobID(of digest: String, now: Int) -> String? {
    kept.withLock { $0[digest].flatMap { Self.isRecent($0, now) ? $0.blobID : nil } }
  }

  /// Notes one, once it is among the blobs and will stay there.
  func note(_ digest: String, _ blobID: String, since: Int) {
    kept.withLock { kept in
      kept = kept.filter { Self.isRecent($0.value, since) }
      kept[digest] = Kept(blobID: blobID, since: since)
    }
  }

  private static func isRecent(_ kept: Kept, _ now: Int) -> Bool { (kept.since..<kept.since + lifetime).contains(now) }
}
