import Formats

/// A task's debug output: lines `2026-11-21T15:00:00.123456Z INFO -- agent.ID: what happened`.
struct DebugOutput {
  let lines: [Substring]

  init(_ text: String) { lines = text.split(separator: "\n") }

  /// How many seconds passed for each agent between two things that happened to it.
  func times(from start: String, to end: String) throws -> [Double] {
    var started: [Substring: Double] = [:]
    var times: [Double] = []
    for line in lines {
      guard let marker = line.firstRange(of: " INFO -- agent.") else { continue }
      let said = line[marker.upperBound...].split(separator: ":", maxSplits: 1)
      guard said.count == 2, let second = Self.secondOfDay(line[..<marker.lowerBound]) else { continue }
      let what = said[1].drop { $0 == " " }
      if what == start { started[said[0]] = second }
      // Past midnight a day is added.
      if what == end, let began = started[said[0]] {
        times.append((second - began + 86_400).truncatingRemainder(dividingBy: 86_400))
      }
    }
    guard !times.isEmpty else {
      throw DroverError(.failed, "reading debug output: nothing from '\(start)' to '\(end)'")
    }
    return times
  }

  /// Of `…T15:00:00.123456Z`.
  private static func secondOfDay(_ time: Substring) -> Double? {
    guard let clock = time.split(separator: "T").last?.split(separator: "Z").first else { return nil }
    let parts = clock.split(separator: ":").compactMap { Double($0) }
    return parts.count == 3 ? parts[0] * 3600 + parts[1] * 60 + parts[2] : nil
  }
}
