public import Formats

/// What an agent asks its director: how far a job of another instance of its deployment is with its drain. An extension
/// of ours, published on ``AgentSubjects/drainQuestion(agentID:requestID:)``.
public struct DrainQuestion: Sendable, Hashable {
  public var job: String
  /// `group/index` or `group/id`.
  public var instance: String

  public init(job: String, instance: String) {
    self.job = job
    self.instance = instance
  }

  /// - Throws: ``DroverError`` with code `invalid`, naming the member.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "question about a drain")
    self.init(job: try reader.string("job"), instance: try reader.string("instance"))
  }

  public var value: Value { ["job": .string(job), "instance": .string(instance)] }
}

/// What the director says to it: the argument of ``AgentMethod/drained``.
public struct DrainAnswer: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    /// What that instance's agent says of the job; with its id, since another VM has another one.
    case state(Value, agent: String)
    /// The instance has no VM, so nothing is left to drain.
    case gone
    /// There is no such instance or job, or its agent cannot say.
    case refused(String)
    /// It cannot be told now.
    case failed(String)
  }

  /// The last part of the question's subject.
  public var request: String
  public var outcome: Outcome

  public init(request: String, _ outcome: Outcome) {
    self.request = request
    self.outcome = outcome
  }

  /// - Throws: ``DroverError`` with code `invalid`, naming the member.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "answer about a drain")
    request = try reader.string("request")
    if let state = reader.value("state") {
      outcome = .state(state, agent: try reader.string("agent"))
    } else if let text = try reader.optionalString("refused") {
      outcome = .refused(text)
    } else if let text = try reader.optionalString("failed") {
      outcome = .failed(text)
    } else if try reader.optionalBool("gone") == true {
      outcome = .gone
    } else {
      throw reader.error("state", "missing; there is no refused, failed or gone either")
    }
  }

  public var value: Value {
    var object: ValueObject = ["request": .string(request)]
    switch outcome {
    case .state(let state, let agent):
      object["state"] = state
      object["agent"] = .string(agent)
    case .gone: object["gone"] = true
    case .refused(let text): object["refused"] = .string(text)
    case .failed(let text): object["failed"] = .string(text)
    }
    return .object(object)
  }
}
