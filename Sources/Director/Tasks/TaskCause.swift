/// Why a task was started that nobody asked for: a trigger or a schedule of a deployment's manifest.
public struct TaskCause: Codable, Sendable, Hashable {
  public enum Kind: String, Codable, Sendable, Hashable {
    case trigger
    case schedule
    /// Somebody asked for a run of the schedule at once.
    case demand
  }

  public var kind: Kind
  /// The name of the entry in the manifest's `errands`.
  public var name: String
  /// For a trigger, when it is: `post-deploy`.
  public var point: String?
  /// For a schedule, the time for which it was started, in seconds since 1970.
  public var tick: Int?

  public init(_ kind: Kind, name: String, point: String? = nil, tick: Int? = nil) {
    self.kind = kind
    self.name = name
    self.point = point
    self.tick = tick
  }

  /// For people: `post-deploy of task 12`, `schedule nightly`, `schedule nightly, at once`.
  public func text(parent: Int?) -> String {
    switch kind {
    case .trigger: "\(point ?? "trigger") of task \(parent.map(String.init) ?? "-")"
    case .schedule: "schedule \(name)"
    case .demand: "schedule \(name), at once"
    }
  }
}
