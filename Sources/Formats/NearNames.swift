/// Names that somebody may have meant who wrote another one.
public enum NearNames {
  /// What is said behind an error about an unknown name: `; did you mean 'a' or 'b'?`; empty when none is near.
  public static func hint(_ name: String, among names: [String]) -> String {
    let near = near(name, among: names).map { "'\($0)'" }
    return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
  }

  /// At most three names that differ in few letters, or that the name is a part of; the nearest first.
  static func near(_ name: String, among names: [String]) -> [String] {
    guard !name.isEmpty, name.utf8.count <= 200 else { return [] }
    let plain = plain(name)
    let limit = max(1, plain.count / 3)
    let ranked = Set(names).compactMap { other -> (distance: Int, name: String)? in
      let candidate = Self.plain(other)
      if name.utf8.count >= 3, other.contains(name) || name.contains(other) { return (1, other) }
      let distance = distance(plain, candidate)
      return distance <= limit ? (distance, other) : nil
    }
    return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// `_` and `-` are taken for the same, and so are large and small letters.
  private static func plain(_ name: String) -> [UInt8] {
    name.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
  }

  /// How many letters must be put in, left out, changed, or exchanged with the next one to come from one to the other.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var before = [Int](repeating: 0, count: right.count + 1)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var next = [i + 1] + [Int](repeating: 0, count: right.count)
      for (j, b) in right.enumerated() {
        next[j + 1] = min(row[j] + (a == b ? 0 : 1), next[j] + 1, row[j + 1] + 1)
        if i > 0, j > 0, a == right[j - 1], b == left[i - 1] { next[j + 1] = min(next[j + 1], before[j - 1] + 1) }
      }
      (before, row) = (row, next)
    }
    return row[right.count]
  }
}
