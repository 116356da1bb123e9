/// The first line of /proc/stat: how the processors' time was spent since boot, in clock ticks.
struct ProcessorTimes: Sendable, Hashable {
  var user = 0
  var system = 0
  var wait = 0
  var total = 0

  init() {}

  /// Nil when the text is not what the kernel writes.
  init?(_ text: String) {
    guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
    let numbers = line.split(separator: " ").dropFirst().compactMap { Int($0) }
    guard numbers.count >= 5 else { return nil }
    user = numbers[0] + numbers[1]
    system = numbers[2]
    wait = numbers[4]
    total = numbers.prefix(8).reduce(0, +)
  }

  /// Percent with one decimal of what passed since an earlier look.
  func share(_ part: KeyPath<ProcessorTimes, Int>, since earlier: ProcessorTimes) -> String {
    let passed = total - earlier.total
    guard passed > 0 else { return "0.0" }
    return Self.oneDecimal(100 * Double(self[keyPath: part] - earlier[keyPath: part]) / Double(passed))
  }

  static func oneDecimal(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
  }
}
