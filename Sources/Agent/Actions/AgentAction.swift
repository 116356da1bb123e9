import AgentProtocol
import Formats

/// One thing that a director can ask an agent to do (reference/agent.md 11). One file each.
protocol AgentAction: Sendable {
  var method: AgentMethod { get }
  var traits: ActionTraits { get }
  /// Whether the request becomes a task; by default as its traits say, whatever the protocol version.
  func isAsynchronous(protocolVersion: Int) -> Bool
  func run(_ call: TaskCall) async throws -> Value
}

extension AgentAction {
  func isAsynchronous(protocolVersion: Int) -> Bool { traits.isAsynchronous }

  /// Runs it if there are enough arguments.
  func perform(_ call: TaskCall) async throws -> Value {
    try call.atLeast(method.minimumArguments)
    return try await run(call)
  }
}

/// How an action is treated.
struct ActionTraits: Sendable, Hashable {
  enum Order: Sendable, Hashable {
    /// One after another in the order of arrival: it changes the machine.
    case serial
    /// Beside everything else.
    case parallel
  }

  /// Answered at once with a task, which is written down and survives a restart of the agent. The others are answered
  /// with their value.
  var isAsynchronous = false
  /// Answered inside the message loop, unless the answer may wait: must not wait for anything else.
  var isImmediate = false
  var order = Order.parallel
  /// Only reads, so that it may be done again: its record need not be there after a power cut.
  var isReading = false
  /// Whether arguments and value may be logged.
  var isLoggable = true
  var isCancellable = false
}

/// A request on its way to its action.
struct TaskCall: Sendable {
  /// Also the beginning of the ids of the scripts it runs. Empty for what is no task.
  var taskID = ""
  var arguments: [Value]
  var protocolVersion: Int
  /// How long the answer may wait for the end of a task.
  var waitMilliseconds = 0
  var cancellation = TaskCancellation()

  /// - Throws: the text of agent.md 7 when there are fewer arguments. More are ignored.
  func atLeast(_ count: Int) throws {
    guard arguments.count >= count else {
      throw DroverError(.invalid, AgentTexts.notEnoughArguments(expected: count, got: arguments.count))
    }
  }

  /// The argument at a place, which may be absent or null.
  func optional(_ index: Int) -> Value? {
    guard index < arguments.count, !arguments[index].isNull else { return nil }
    return arguments[index]
  }

  func string(_ index: Int, _ what: String) throws -> String {
    try atLeast(index + 1)
    return try reading {
      guard let text = arguments[index].string else {
        throw DroverError(.invalid, "\(what): expected a string, found \(arguments[index].kindName)")
      }
      return text
    }
  }

  /// Reads arguments: what is wrong with them is said as directors know it.
  func reading<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      throw DroverError(.invalid, AgentTexts.wrongArgument, cause: error)
    }
  }
}
