/// How much an archive may hold. What goes beyond is refused with an error that names the entry.
public struct ArchiveLimits: Sendable, Hashable {
  /// Bytes after decompression, of headers and contents together.
  public var totalBytes: Int
  public var entries: Int

  public init(totalBytes: Int = 16 << 30, entries: Int = 1_000_000) {
    self.totalBytes = totalBytes
    self.entries = entries
  }

  /// For archives that hold a few small texts, such as a job's.
  public static let small = ArchiveLimits(totalBytes: 64 << 20, entries: 10_000)
}
