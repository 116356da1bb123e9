import AgentProtocol

/// /proc/meminfo, and the limit of a container's cgroup, as the health monitor wants them.
enum MemoryUse {
  /// Kilobytes by name.
  static func parse(_ text: String) -> [String: Int] {
    var numbers: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let number = parts[1].split(separator: " ").first.flatMap({ Int($0) }) else { continue }
      numbers[String(parts[0])] = number
    }
    return numbers
  }

  /// Memory that programs hold: all but what is free, cached or can be reclaimed.
  static func memory(_ numbers: [String: Int]) -> Vitals.Memory {
    let total = numbers["MemTotal"] ?? 0
    let available = numbers["MemAvailable"] ?? numbers["MemFree"] ?? 0
    return use(max(0, total - available), of: total)
  }

  static func swap(_ numbers: [String: Int]) -> Vitals.Memory {
    let total = numbers["SwapTotal"] ?? 0
    return use(max(0, total - (numbers["SwapFree"] ?? 0)), of: total)
  }

  static func use(_ kilobytes: Int, of total: Int) -> Vitals.Memory {
    Vitals.Memory(
      kilobytes: String(kilobytes),
      percent: total > 0 ? String(Int((Double(kilobytes) / Double(total) * 100).rounded())) : "0")
  }
}
