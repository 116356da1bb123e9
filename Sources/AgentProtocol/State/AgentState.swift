public import Formats

/// The value of `get_state`: the applied spec and what runs (reference/agent.md 9, 11).
public struct AgentState: Sendable, Hashable {
  public var spec: ApplySpec
  public var agentID: String
  public var jobState: JobState
  public var vmName: String
  /// Left out when empty.
  public var processes: [ProcessState]
  /// Only for `get_state("full")`.
  public var vitals: Vitals?

  public init(
    spec: ApplySpec, agentID: String, jobState: JobState, vmName: String = "", processes: [ProcessState] = [],
    vitals: Vitals? = nil
  ) {
    self.spec = spec
    self.agentID = agentID
    self.jobState = jobState
    self.vmName = vmName
    self.processes = processes
    self.vitals = vitals
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "agent state")
    var spec = try ApplySpec(value)
    if spec.properties == Self.properties(of: ApplySpec()) { spec.properties = [:] }
    self.init(
      spec: spec, agentID: try reader.optionalString("agent_id") ?? "",
      jobState: JobState(rawValue: try reader.optionalString("job_state") ?? "unknown"),
      vmName: value["vm"]?["name"]?.string ?? "",
      processes: try (reader.optionalArray("processes") ?? []).map(ProcessState.init),
      vitals: try reader.value("vitals").map(Vitals.init))
  }

  public var value: Value {
    var object = spec.value.object ?? [:]
    // Of the properties only what the agent itself goes by: the others may hold secrets.
    object["properties"] = .object(Self.properties(of: spec))
    if spec.job.templates.isEmpty, var job = object["job"]?.object {
      job["templates"] = .null
      object["job"] = .object(job)
    }
    object["agent_id"] = .string(agentID)
    object["job_state"] = .string(jobState.rawValue)
    object["vm"] = ["name": .string(vmName)]
    if !processes.isEmpty { object["processes"] = .array(processes.map(\.value)) }
    if let vitals { object["vitals"] = vitals.value }
    return .object(object)
  }

  private static func properties(of spec: ApplySpec) -> ValueObject {
    ["logging": ["max_log_file_size": .string(spec.properties["logging"]?["max_log_file_size"]?.string ?? "")]]
  }
}
