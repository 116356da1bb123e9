import Formats

/// How far one job of this VM has let go of its work, as instance/drain.json says it.
struct JobDrain: Sendable, Hashable {
  enum State: String, Sendable, Hashable, CaseIterable {
    /// Nothing asks it to let go.
    case idle
    /// Its drain script runs, or waits as long as it asked for.
    case draining
    /// It has let go, and is not started again yet.
    case drained
    /// Its drain script failed, was cancelled, or took longer than the operator allows.
    case failed
  }

  var state = State.idle
  /// Since when, as RFC 3339 text.
  var since = ""
  /// The agent's task of the last drain.
  var task: String?
  /// Why it failed.
  var reason: String?
  /// When it was last drained: whoever waits sees that also after the job was started again.
  var drainedAt: String?
}

extension JobDrain {
  init(_ reader: FieldReader) throws {
    let text = try reader.string("state")
    guard let state = State(rawValue: text) else {
      throw reader.error("state", "expected one of \(State.allCases.map(\.rawValue)), found '\(text)'")
    }
    self.state = state
    since = try reader.string("since")
    task = try reader.optionalString("task")
    reason = try reader.optionalString("reason")
    drainedAt = try reader.optionalString("drained_at")
  }

  var value: Value {
    var object: ValueObject = ["state": .string(state.rawValue), "since": .string(since)]
    for (name, text) in [("task", task), ("reason", reason), ("drained_at", drainedAt)] {
      if let text { object[name] = .string(text) }
    }
    return .object(object)
  }
}

/// The drains of all jobs of this VM, by name.
struct JobDrains: Sendable, Hashable {
  var jobs: [String: JobDrain] = [:]

  init() {}

  init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "drain states")
    for (name, job) in try reader.optionalObject("jobs") ?? [:] {
      jobs[name] = try JobDrain(FieldReader(job, at: reader.place("jobs.\(name)")))
    }
  }

  /// What is said of a job that is not there.
  func unknown(_ job: String) -> DroverError {
    let names = jobs.keys.sorted().joined(separator: ", ")
    return DroverError(
      .notFound, "no job '\(job.prefix(200))' on this VM; it has \(names.isEmpty ? "none" : names)")
  }

  var value: Value {
    ["jobs": .object(ValueObject(jobs.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) }))]
  }
}
