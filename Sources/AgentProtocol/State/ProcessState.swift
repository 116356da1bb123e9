public import Formats

/// One supervised process as `get_state` shows it (reference/agent.md 14).
public struct ProcessState: Sendable, Hashable {
  public var name: String
  public var state: JobState
  /// Nil or 0 is left out.
  public var uptimeSeconds: Int?
  /// Nil or 0 is left out.
  public var memoryKilobytes: Int?
  public var memoryPercent: Double
  /// Percent of all processors.
  public var cpuPercent: Double

  public init(
    name: String, state: JobState, uptimeSeconds: Int? = nil, memoryKilobytes: Int? = nil, memoryPercent: Double = 0,
    cpuPercent: Double = 0
  ) {
    self.name = name
    self.state = state
    self.uptimeSeconds = uptimeSeconds
    self.memoryKilobytes = memoryKilobytes
    self.memoryPercent = memoryPercent
    self.cpuPercent = cpuPercent
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "process")
    self.init(
      name: try reader.string("name"), state: JobState(rawValue: try reader.optionalString("state") ?? "unknown"),
      uptimeSeconds: value["uptime"]?["secs"]?.int, memoryKilobytes: value["mem"]?["kb"]?.int,
      memoryPercent: value["mem"]?["percent"]?.double ?? 0, cpuPercent: value["cpu"]?["total"]?.double ?? 0)
  }

  public var value: Value {
    var uptime = ValueObject()
    if let uptimeSeconds, uptimeSeconds != 0 { uptime["secs"] = .int(uptimeSeconds) }
    var memory = ValueObject()
    if let memoryKilobytes, memoryKilobytes != 0 { memory["kb"] = .int(memoryKilobytes) }
    memory["percent"] = number(memoryPercent)
    return [
      "name": .string(name), "state": .string(state.rawValue), "uptime": .object(uptime), "mem": .object(memory),
      "cpu": ["total": number(cpuPercent)],
    ]
  }

  private func number(_ number: Double) -> Value {
    let rounded = (number * 10).rounded() / 10
    return rounded == rounded.rounded() ? .int(Int(rounded)) : .double(rounded)
  }
}
