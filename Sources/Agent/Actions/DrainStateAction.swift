import AgentProtocol
import Formats

/// How far a job of this VM is with its drain; what our director asks for other instances (`wait-drained JOB@INSTANCE`).
struct DrainStateAction: AgentAction {
  let board: DrainBoard
  let method = AgentMethod.drainState
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let job = try call.string(0, "job")
    let drains = await board.drains
    guard let drain = drains.jobs[job] else { throw drains.unknown(job) }
    return drain.value
  }
}

/// What our director answers to a question about a drain. Somebody else on this VM has asked, and hears it too.
struct DrainedAction: AgentAction {
  let method = AgentMethod.drained
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value { .null }
}
