public import AgentProtocol
public import Formats
public import Surroundings

/// One agent, as the director talks to it: requests, tasks and retries (reference/director.md C.6, C.8).
public struct AgentClient: Sendable {
  public let agentID: String
  let bus: AgentBus
  let surroundings: Surroundings
  /// Where messages are written: people search a task's debug output for them.
  let log: @Sendable (String) async -> Void

  public init(
    agentID: String, bus: AgentBus, surroundings: Surroundings,
    log: @escaping @Sendable (String) async -> Void = { _ in }
  ) {
    self.agentID = agentID
    self.bus = bus
    self.surroundings = surroundings
    self.log = log
  }

  /// What the agent answered with an exception.
  public struct Exception: Error, CustomStringConvertible {
    public let method: AgentMethod
    public let message: String
    public var description: String { message }

    /// The agent does not know the method.
    public var isUnknownMessage: Bool { AgentTexts.isUnknownMessage(message) }
  }

  /// Asks and waits for the answer; a request that may be sent again is, with the same identity.
  ///
  /// - Parameters:
  ///   - identity: nil for requests that do no harm when they are done twice.
  ///   - wait: how long the answer may wait for the end of a task, in milliseconds.
  ///   - reading: what is to be read of the output of the task that is begun.
  public func ask(
    _ method: AgentMethod, _ arguments: [Value] = [], identity: RequestIdentity? = nil, wait: Int = 0,
    reading: ReadOutputRequest? = nil, timeout: Duration = .seconds(45), tries: Int = 1
  ) async throws -> Value {
    let identity = identity ?? RequestIdentity(unique: surroundings.identifier())
    let start = surroundings.elapsed()
    let deadline = start + timeout * tries
    while true {
      do {
        switch try await bus.ask(
          agent: agentID, method, arguments, identity: identity, wait: wait, reading: reading, timeout: timeout)
        {
        case .value(let value): return value
        case .exception(let message): throw Exception(method: method, message: message)
        }
      } catch let error as DroverError where error.code == .timeout || error.code == .unavailable {
        guard surroundings.elapsed() < deadline else {
          throw DirectorFailure.agentTimeout(
            "Timed out sending '\(method.rawValue)' to agent '\(agentID)' after \(surroundings.elapsed() - start)")
        }
        // Nobody listens: the agent is starting, or starting again.
        if error.code == .unavailable { try await surroundings.sleep(.milliseconds(25)) }
      }
    }
  }

  /// Starts something long and waits until the agent has done it.
  ///
  /// - Parameters:
  ///   - identity: with which the request is recorded by the agent, so that asking again starts nothing twice.
  ///   - cancellation: when the end is asked for, the agent's task is cancelled once, and its result still awaited.
  public func perform(
    _ method: AgentMethod, _ arguments: [Value] = [], identity: RequestIdentity, cancellation: Cancellation? = nil
  ) async throws -> Value {
    // Most is done in less than a second, and needs no second question then.
    let first = try await start(method, arguments, identity: identity, wait: 1000)
    guard let task = AgentTaskReply(first) else { return await received(first, method) }
    guard let cancellation else { return try await result(of: task.taskID, method) }
    return try await withCancelling(task.taskID, cancellation) { try await result(of: task.taskID, method) }
  }

  /// Starts something long that prints.
  ///
  /// - Parameter reading: what is wanted of its output with the answer.
  /// - Returns: the agent's task, and of agents that can do that what was read.
  func begin(
    _ method: AgentMethod, _ arguments: [Value], identity: RequestIdentity, reading: ReadOutputRequest
  ) async throws -> AgentTaskReply {
    let first = try await start(method, arguments, identity: identity, reading: reading)
    guard let task = AgentTaskReply(first) else {
      throw DroverError(.invalid, "agent \(agentID) answered '\(method.rawValue)' with no task")
    }
    return task
  }

  private func start(
    _ method: AgentMethod, _ arguments: [Value], identity: RequestIdentity, wait: Int = 0,
    reading: ReadOutputRequest? = nil
  ) async throws -> Value {
    await log("DEBUG -- SENT: agent.\(agentID) {\"method\":\"\(method.rawValue)\",\"request\":\"\(identity.text)\"}")
    // The identity makes it safe to ask again when an answer was lost.
    return try await ask(
      method, arguments, identity: identity, wait: wait, reading: reading, timeout: .seconds(8), tries: 23)
  }

  /// Waits for the result of a task of the agent. Drover's agent answers as soon as it is over, or when the time that it is
  /// asked to wait has passed; others do not know of the wish and answer at once, and are asked often at first, then every
  /// second.
  func result(of taskID: String, _ method: AgentMethod) async throws -> Value {
    let wait = 4000
    var pause = Duration.milliseconds(20)
    while true {
      let start = surroundings.elapsed()
      let value = try await ask(
        .getTask, [.string(taskID)], wait: wait, timeout: .milliseconds(wait) * 2, tries: 23)
      guard AgentTaskReply(value) != nil else { return await received(value, method) }
      let rest = pause - (surroundings.elapsed() - start)
      if rest > .zero {
        try await surroundings.sleep(rest)
        pause = min(pause * 3 / 2, .seconds(1))
      }
    }
  }

  private func received(_ value: Value, _ method: AgentMethod) async -> Value {
    await log("DEBUG -- RECEIVED: result of '\(method.rawValue)' from agent.\(agentID)")
    return value
  }

  /// Cancels a task of the agent once when its end is asked for while the body runs. An agent that cannot stop the task
  /// says so; its result is awaited all the same.
  func withCancelling<Result: Sendable>(
    _ taskID: String, _ cancellation: Cancellation, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let (wishes, wish) = AsyncStream<Void>.makeStream()
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        for await _ in wishes {
          _ = try? await ask(.cancelTask, [.string(taskID)], timeout: .seconds(5), tries: 4)
          break
        }
        return nil
      }
      group.addTask { try await cancellation.whileWatched({ wish.yield() }, body) }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw CancellationError()
    }
  }

  /// Waits until the agent answers a ping.
  ///
  /// - Parameter onWaiting: told after fifteen seconds, and then every minute, how long there has been no answer.
  public func waitUntilReady(
    timeout: Duration, cancellation: Cancellation, onWaiting: (Duration) async throws -> Void = { _ in }
  ) async throws {
    let start = surroundings.elapsed()
    let deadline = start + timeout
    var next = start + .seconds(15)
    while true {
      try cancellation.check()
      do {
        _ = try await ask(.ping, timeout: .seconds(1))
        return
      } catch let failure as DirectorFailure {
        guard surroundings.elapsed() < deadline else {
          throw DirectorFailure.agentTimeout(
            "Timed out pinging VM with agent '\(agentID)' after \(timeout): \(failure)")
        }
        let now = surroundings.elapsed()
        guard now >= next else { continue }
        try await onWaiting(now - start)
        next = now + .seconds(60)
      }
    }
  }

  /// - Parameter full: with vitals.
  public func state(full: Bool = false, timeout: Duration = .seconds(45)) async throws -> AgentState {
    try AgentState(await ask(.getState, full ? ["full"] : [], timeout: timeout, tries: 2))
  }

  /// The next bytes that a task's script printed, or nil when the agent cannot say before the task has ended.
  public func readOutput(_ request: ReadOutputRequest) async throws -> ReadOutputReply? {
    do {
      let wait = Duration.milliseconds(request.waitMilliseconds)
      // An agent that was killed never answers what it was asked before.
      return try ReadOutputReply(await ask(.readOutput, [request.value], timeout: wait + .seconds(5), tries: 18))
    } catch let exception as Exception where exception.isUnknownMessage {
      return nil
    }
  }

  /// What came with the last of the output, as ``result(of:_:)`` has it.
  func result(_ response: AgentResponse, _ method: AgentMethod) async throws -> Value {
    switch response {
    case .value(let value): return await received(value, method)
    case .exception(let message): throw Exception(method: .getTask, message: message)
    }
  }
}
