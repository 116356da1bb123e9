import AgentProtocol
import Formats
import Surroundings

/// What the agent writes down about a task: before it starts, when it is cancelled, and when it is over (design D7).
struct TaskRecord: Sendable, Hashable {
  let id: String
  /// The identity of the request that started it; nil when the request had none.
  let requestID: String?
  /// Tasks are begun again in this order after a restart of the agent.
  let sequence: Int
  let method: String
  let protocolVersion: Int
  /// Dropped when the task is over: they may hold secrets.
  var arguments: [Value]
  let startedAt: Timestamp
  var isCancelled = false
  /// The answer to `get_task`; nil while it runs.
  var outcome: Outcome?
  var endedAt: Timestamp?
  /// Whether somebody has been told the outcome; not part of the record's file.
  var isCollected = false

  enum Outcome: Sendable, Hashable {
    case value(Value)
    case failure(String)
  }
}

extension TaskRecord {
  var value: Value {
    var object: ValueObject = [
      "id": .string(id), "request_id": Value(requestID), "sequence": .int(sequence), "method": .string(method),
      "protocol": .int(protocolVersion), "arguments": .array(arguments),
      "started_at": .int(Int(startedAt.nanoseconds)), "cancelled": .bool(isCancelled),
    ]
    switch outcome {
    case .value(let value): object["value"] = value
    case .failure(let text): object["failure"] = .string(text)
    case nil: break
    }
    if let endedAt { object["ended_at"] = .int(Int(endedAt.nanoseconds)) }
    return .object(object)
  }

  init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "task")
    self.init(
      id: try reader.string("id"), requestID: try reader.optionalString("request_id"),
      sequence: try reader.int("sequence"), method: try reader.string("method"),
      protocolVersion: try reader.int("protocol"), arguments: try reader.array("arguments"),
      startedAt: Timestamp(nanoseconds: Int64(try reader.int("started_at"))),
      isCancelled: try reader.optionalBool("cancelled") ?? false)
    if let failure = try reader.optionalString("failure") {
      outcome = .failure(failure)
    } else if let value = reader.object["value"] {
      outcome = .value(value)
    }
    endedAt = try reader.optionalInt("ended_at").map { Timestamp(nanoseconds: Int64($0)) }
  }
}
