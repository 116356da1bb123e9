public import Formats

/// What an agent tells the health monitor every 30 seconds (reference/agent.md 15).
public struct Heartbeat: Sendable, Hashable {
  public var deployment: String
  public var job: String?
  public var index: Int?
  public var jobState: JobState
  public var vitals: Vitals
  /// The instance's UUID.
  public var nodeID: String
  /// Nil when the supervisor cannot be asked.
  public var numberOfProcesses: Int?

  public init(
    deployment: String, job: String?, index: Int?, jobState: JobState, vitals: Vitals, nodeID: String,
    numberOfProcesses: Int?
  ) {
    self.deployment = deployment
    self.job = job
    self.index = index
    self.jobState = jobState
    self.vitals = vitals
    self.nodeID = nodeID
    self.numberOfProcesses = numberOfProcesses
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "heartbeat")
    self.init(
      deployment: try reader.optionalString("deployment") ?? "", job: try reader.optionalString("job"),
      index: try reader.optionalInt("index"),
      jobState: JobState(rawValue: try reader.optionalString("job_state") ?? "unknown"),
      vitals: try Vitals(reader.value("vitals") ?? [:]), nodeID: try reader.optionalString("node_id") ?? "",
      numberOfProcesses: try reader.optionalInt("number_of_processes"))
  }

  public var value: Value {
    [
      "deployment": .string(deployment), "job": Value(job), "index": Value(index),
      "job_state": .string(jobState.rawValue), "vitals": vitals.value, "node_id": .string(nodeID),
      "number_of_processes": Value(numberOfProcesses),
    ]
  }
}
