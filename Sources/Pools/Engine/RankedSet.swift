/// A sorted set that knows the rank of its elements.
///
/// The elements lie in sorted pieces of bounded size, so that putting in, taking out and looking up by rank cost a binary
/// search and a short move each, at a million elements as at ten.
struct RankedSet<Element: Comparable & Sendable>: Sendable {
  private static var largestPiece: Int { 512 }

  /// None is empty.
  private var pieces: [[Element]] = []
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  var first: Element? { pieces.first?.first }

  mutating func insert(_ element: Element) {
    count += 1
    guard let last = pieces.last?.last else {
      pieces = [[element]]
      return
    }
    let piece = element > last ? pieces.count - 1 : place(of: element)
    let index = Self.place(of: element, in: pieces[piece])
    pieces[piece].insert(element, at: index)
    guard pieces[piece].count > Self.largestPiece else { return }
    // What grows at its end only leaves full pieces behind.
    let cut = index == pieces[piece].count - 1 ? index : pieces[piece].count / 2
    let rest = Array(pieces[piece][cut...])
    pieces[piece].removeSubrange(cut...)
    pieces.insert(rest, at: piece + 1)
  }

  @discardableResult
  mutating func remove(_ element: Element) -> Bool {
    let piece = place(of: element)
    guard piece < pieces.count else { return false }
    let index = Self.place(of: element, in: pieces[piece])
    guard index < pieces[piece].count, pieces[piece][index] == element else { return false }
    pieces[piece].remove(at: index)
    if pieces[piece].isEmpty { pieces.remove(at: piece) }
    count -= 1
    return true
  }

  /// The element that so many are smaller than; nil when there are not as many.
  subscript(rank: Int) -> Element? {
    guard rank >= 0, rank < count else { return nil }
    var rest = rank
    for piece in pieces {
      if rest < piece.count { return piece[rest] }
      rest -= piece.count
    }
    return nil
  }

  /// How many elements are smaller.
  func rank(of element: Element) -> Int {
    let piece = place(of: element)
    let before = pieces[..<piece].reduce(0) { $0 + $1.count }
    return piece < pieces.count ? before + Self.place(of: element, in: pieces[piece]) : before
  }

  /// All, smallest first.
  var elements: some Sequence<Element> { pieces.lazy.joined() }

  /// The first piece whose last element is not smaller.
  private func place(of element: Element) -> Int {
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if let last = pieces[middle].last, last < element { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func place(of element: Element, in piece: [Element]) -> Int {
    var (low, high) = (0, piece.count)
    while low < high {
      let middle = (low + high) / 2
      if piece[middle] < element { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
