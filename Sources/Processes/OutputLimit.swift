/// What is kept of a stream that is longer than it may be: its first bytes, and its last ones.
///
/// The first `limit` bytes are always kept, and, of what follows, the last quarter as many (16 MiB at most). As long as
/// the stream grows, nobody can tell what will be its end, so that what follows the head is there when it has ended.
public struct OutputLimit: Sendable, Hashable {
  /// Bytes from the beginning.
  public let head: Int
  /// Bytes before the end.
  public let tail: Int

  public init(_ limit: Int) {
    head = limit
    tail = min(limit / 4, 16 << 20)
  }

  /// What is left out of a stream of so many bytes; nil for nothing.
  public func gap(of size: Int) -> Range<Int>? { size > head + tail ? head..<(size - tail) : nil }

  /// From where to read on, and how far that goes, for one who has read up to an offset.
  public func window(from offset: Int, size: Int, hasEnded: Bool) -> Range<Int> {
    var start = offset
    var end = size
    if !hasEnded {
      end = min(size, head)
    } else if let gap = gap(of: size) {
      if gap.contains(start) { start = gap.upperBound }
      if start < gap.lowerBound { end = gap.lowerBound }
    }
    return start..<max(start, end)
  }
}
