/// What a `Range` header asks for (RFC 9110, 14.1.2): one range of bytes; other forms mean the whole, as none does.
enum ByteRange: Sendable, Hashable {
  /// From an offset on, up to and with another one if there is one.
  case from(Int64, through: Int64?)
  /// So many bytes at the end.
  case last(Int64)

  /// Nil for no header, and for forms that nobody sends: other units, several ranges, what is malformed.
  init?(_ header: String?) {
    guard let header, header.hasPrefix("bytes=") else { return nil }
    let parts = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    func number(_ text: Substring) -> Int64? { text.utf8.allSatisfy { 48...57 ~= $0 } ? Int64(text) : nil }
    guard parts.count == 2 else { return nil }
    if parts[0].isEmpty {
      guard let count = number(parts[1]) else { return nil }
      self = .last(count)
      return
    }
    guard let start = number(parts[0]) else { return nil }
    if parts[1].isEmpty {
      self = .from(start, through: nil)
      return
    }
    guard let end = number(parts[1]), end >= start else { return nil }
    self = .from(start, through: end)
  }

  /// Where it begins; nil when that depends on how much there is.
  var start: Int64? { if case .from(let start, _) = self { start } else { nil } }

  /// The part of so many bytes that is meant; nil when there is none of it.
  func within(_ size: Int64) -> Range<Int64>? {
    switch self {
    case .from(let start, let end):
      guard start < size else { return nil }
      return start..<min(size, end.map { $0 < Int64.max ? $0 + 1 : $0 } ?? size)
    case .last(let count):
      guard count > 0, size > 0 else { return nil }
      return max(0, size - count)..<size
    }
  }
}
