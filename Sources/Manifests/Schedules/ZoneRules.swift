/// How far the clocks of a time zone are from UTC, and when that changes.
public struct ZoneRules: Sendable, Hashable {
  /// A time in which nothing changes.
  struct Span: Sendable, Hashable {
    /// Seconds since 1970; nil when it has no beginning that is known.
    var start: Int?
    /// Seconds that clocks were ahead of UTC before the beginning.
    var before: Int
    /// Seconds that they are ahead of UTC.
    var offset: Int
    /// Where the next one begins; nil when there is none.
    var end: Int?
  }

  struct Change: Sendable, Hashable {
    /// Seconds since 1970.
    var time: Int
    /// Seconds that clocks are ahead of UTC from then on.
    var offset: Int
  }

  /// Before the first change.
  let initial: Int
  /// In their order.
  let changes: [Change]
  /// For the time after the last change.
  let rule: ZoneRule?

  init(initial: Int, changes: [Change] = [], rule: ZoneRule? = nil) {
    (self.initial, self.changes, self.rule) = (initial, changes, rule)
  }

  public static let utc = ZoneRules(initial: 0)

  /// Seconds that clocks are ahead of UTC.
  public func offset(at time: Int) -> Int { span(at: time).offset }

  func span(at time: Int) -> Span {
    guard let last = changes.last, time < last.time else { return lateSpan(at: time) }
    // The first change that is still to come.
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].time <= time { low = middle + 1 } else { high = middle }
    }
    return span(low, of: changes, from: initial)
  }

  /// After the last change that is written down, by the rule.
  private func lateSpan(at time: Int) -> Span {
    let base = changes.last?.offset ?? initial
    let year = CivilDay(floorDivide(time, 86400)).year
    var all = changes.suffix(2)
    for change in (year - 1...year + 1).flatMap({ rule?.changes(in: $0) ?? [] }) {
      if let last = all.last, change.time < last.time { continue }
      // A year that ends when the next one's summer begins has no winter.
      if all.last?.time == change.time { all.removeLast() }
      all.append(change)
    }
    let known = Array(all)
    let next = known.firstIndex { $0.time > time } ?? known.count
    let before = changes.count > 2 ? changes[changes.count - 3].offset : initial
    return span(next, of: known, from: changes.isEmpty ? rule?.standard ?? base : before)
  }

  /// The span before the change of that index.
  private func span(_ next: Int, of changes: [Change], from initial: Int) -> Span {
    let end = next < changes.count ? changes[next].time : nil
    guard next > 0 else { return Span(start: nil, before: initial, offset: initial, end: end) }
    let start = changes[next - 1]
    return Span(
      start: start.time, before: next > 1 ? changes[next - 2].offset : initial,
      offset: start.offset, end: end)
  }
}
