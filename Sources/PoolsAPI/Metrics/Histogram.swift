/// Counts by size, as Prometheus has them.
struct Histogram: Sendable {
  let bounds: [Double]
  private(set) var counts: [Int]
  private(set) var sum = 0.0
  private(set) var count = 0

  init(_ bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count)
  }

  mutating func add(_ value: Double) {
    sum += value
    count += 1
    if let place = bounds.firstIndex(where: { value <= $0 }) { counts[place] += 1 }
  }

  /// Its lines of the text format.
  func lines(_ name: String, _ labels: String) -> String {
    var text = ""
    var below = 0
    for (bound, count) in zip(bounds, counts) {
      below += count
      text += "\(name)_bucket{\(labels),le=\"\(Self.text(bound))\"} \(below)\n"
    }
    text += "\(name)_bucket{\(labels),le=\"+Inf\"} \(count)\n"
    text += "\(name)_sum{\(labels)} \(Self.text(sum))\n"
    text += "\(name)_count{\(labels)} \(count)\n"
    return text
  }

  /// Without a fraction where there is none.
  static func text(_ number: Double) -> String {
    number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
  }
}
