import Formats

/// How long something took, measured several times.
struct Timing {
  let seconds: [Double]

  var median: Double {
    let sorted = seconds.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  var minimum: Double { seconds.min() ?? .nan }
  var maximum: Double { seconds.max() ?? .nan }

  /// `min 0.50, max 0.71, 5 runs`.
  func spread(_ unit: Double = 1) -> String {
    "min \(Figure.text(minimum * unit)), max \(Figure.text(maximum * unit)), \(seconds.count) runs"
  }

  /// Runs it that many times, after once to warm up.
  static func of(_ runs: Int, warm: Bool = true, _ body: () async throws -> Void) async rethrows -> Timing {
    if warm { try await body() }
    var seconds: [Double] = []
    for _ in 0..<runs { seconds.append(try await once(body)) }
    return Timing(seconds: seconds)
  }

  static func once(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
  }
}
