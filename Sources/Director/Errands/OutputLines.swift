/// Cuts what a script prints into lines for people: whole lines, valid UTF-8, no control characters, and not more of
/// them than a terminal can show. Left-out lines are counted and said so.
struct OutputLines: Sendable {
  /// Lines per second that are let through, after a burst of that many.
  static let linesPerSecond = 50
  /// Longer lines are cut.
  static let maximumLength = 1000

  private var partial: [String: [UInt8]] = [:]
  private var allowance = Double(Self.linesPerSecond)
  private var lastTime: Duration?
  private var leftOut = 0

  /// The lines that are complete with these bytes.
  mutating func take(_ bytes: [UInt8], from stream: String, at time: Duration) -> [String] {
    if let lastTime {
      let seconds = Double((time - lastTime) / .milliseconds(1)) / 1000
      allowance = min(Double(Self.linesPerSecond), allowance + seconds * Double(Self.linesPerSecond))
    }
    lastTime = time
    var shown: [String] = []
    var rest = partial[stream] ?? []
    var start = 0
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      rest += bytes[start..<end].prefix(Self.maximumLength - rest.count)
      start = end + 1
      if allowance >= 1 {
        allowance -= 1
        shown += notice()
        shown.append(Self.text(rest))
      } else {
        leftOut += 1
      }
      rest = []
    }
    rest += bytes[start...].prefix(Self.maximumLength - rest.count)
    partial[stream] = rest
    return shown
  }

  /// What is left at the end.
  mutating func end() -> [String] {
    let rest = partial.sorted { $0.key < $1.key }.map(\.value).filter { !$0.isEmpty }.map(Self.text)
    partial = [:]
    return notice() + rest
  }

  private mutating func notice() -> [String] {
    guard leftOut > 0 else { return [] }
    defer { leftOut = 0 }
    return ["(\(leftOut) more lines are in the result)"]
  }

  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.map { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F ? $0 : 0x20 }, as: UTF8.self)
  }
}
