import Formats
public import Manifests

/// In which order and how many at once the instances of a group are updated (`reference/director.md C.5`).
struct UpdateSchedule {
  /// An instance that is to be updated.
  struct Member: Hashable {
    var id: String
    var az: String?
    var bootstrap: Bool
  }

  let policy: UpdatePolicy
  /// Whether the group has no instance yet.
  let isFirstDeploy: Bool

  /// Each member in exactly one batch; batches come one after the other.
  func batches(_ members: [Member]) -> [UpdateBatch] {
    var batches: [UpdateBatch] = []
    for (position, zone) in zones(members).enumerated() {
      // A percentage is one of what changes in that AZ.
      let concurrency = max(1, policy.maxInFlight.of(zone.count))
      let canaries = position == 0 ? min(policy.canaries.of(members.count), zone.count) : 0
      let az = Set(zone.map(\.az)).count == 1 ? zone.first?.az : nil
      for (isCanary, part) in [(true, zone.prefix(canaries)), (false, zone.dropFirst(canaries))] where !part.isEmpty {
        batches.append(
          UpdateBatch(az: az, isCanary: isCanary, instances: part.map(\.id), concurrency: concurrency))
      }
    }
    return batches
  }

  /// The bootstrap instance first, then its AZ, then those without AZ, then the other AZs by name.
  private func zones(_ members: [Member]) -> [[Member]] {
    let home = members.first { $0.bootstrap }
    func rank(_ member: Member) -> (Int, String, Int, String) {
      let inner = member.bootstrap ? 0 : 1
      if let home, member.az == home.az { return (0, "", inner, member.id) }
      guard let az = member.az else { return (1, "", inner, member.id) }
      return (2, az, inner, member.id)
    }
    let sorted = members.sorted { rank($0) < rank($1) }
    if isFirstDeploy, policy.initialDeployAZUpdateStrategy == .parallel { return sorted.isEmpty ? [] : [sorted] }
    return sorted.reduce(into: []) { zones, member in
      if let last = zones.last?.last, last.az == member.az {
        zones[zones.count - 1].append(member)
      } else {
        zones.append([member])
      }
    }
  }
}

extension WatchTime {
  /// When an instance's state is asked for, in milliseconds from the beginning: at the minimum, and then in equal steps
  /// between one and fifteen seconds until the maximum (`reference/director.md C.6`).
  public var polls: [Int] {
    let step = min(max((maximum - minimum) / 9, 1000), 15_000)
    return Array(stride(from: minimum, to: maximum, by: step)) + [maximum]
  }
}
