import Formats
import NIOCore

/// How a connection comes about, is lost, and comes back.
extension NATSSession {
  mutating func openNext() -> [Action] {
    server = pool.take()
    phase = .opening
    isSettled = false
    complaint = nil
    questions = FIFO()
    pingsOut = 0
    return [.open(server), .set(.connect, configuration.connectTimeout)]
  }

  /// After INFO, and after TLS if that is to be.
  mutating func welcome() -> [Action] {
    phase = .welcoming
    let greeting = NATSCommand.connect(
      name: configuration.name, user: server.user ?? configuration.user,
      password: server.user == nil ? configuration.password : server.password, tls: configuration.tls != nil)
    return [.send(greeting), ask(.welcome)]
  }

  mutating func greeted(_ info: NATSServerInfo) -> [Action] {
    self.info = info
    pool.learn(info.connectURLs, from: server)
    guard phase == .greeting else { return [] }
    if configuration.tls != nil {
      guard info.tlsRequired || info.tlsAvailable else {
        return lost(DroverError(.forbidden, "connecting to NATS at \(server): the server does not offer TLS"))
      }
      phase = .securing
      return [.secure(server)]
    }
    if info.tlsRequired {
      return lost(
        DroverError(.invalid, "connecting to NATS at \(server): the server requires TLS; give an authority to trust"))
    }
    return welcome()
  }

  mutating func welcomed() -> [Action] {
    phase = .connected
    var actions: [Action] = [.clear(.connect)]
    for (id, subscription) in subscriptions.sorted(by: { $0.key < $1.key }) {
      actions.append(.send(NATSCommand.subscribe(subscription.subject, queue: subscription.queue, id: id)))
    }
    if backlog.readableBytes > 0 {
      actions.append(.send(backlog))
      backlog = ByteBuffer()
    }
    for id in waitingFlushes { actions.append(ask(.flush(id: id))) }
    waitingFlushes = []
    return actions + [
      .set(.ping, configuration.pingInterval), .set(.settled, Self.settling),
      .report(.connected(server: server.description)),
    ]
  }

  mutating func ask(_ question: Question) -> Action {
    questions.append(question)
    return .send(NATSCommand.ping)
  }

  mutating func lost(_ reason: DroverError) -> [Action] {
    guard ![.idle, .pausing, .closed].contains(phase) else { return [] }
    let wasGood = phase == .connected && isSettled
    let reason = complaint ?? reason
    var actions: [Action] = [.shut, .clear(.connect), .clear(.ping), .clear(.settled)]
    actions += unansweredFlushes(
      DroverError(.unavailable, "flushing: the connection to NATS was lost before it answered", cause: reason))
    actions.append(.report(.disconnected(server: server.description, reason: reason)))
    if wasGood {
      triedInRound = 0
      return actions + openNext()
    }
    triedInRound += 1
    if triedInRound < pool.count { return actions + openNext() }
    triedInRound = 0
    round += 1
    if let limit = configuration.maximumRounds, round >= limit { return actions + close(reason) }
    let pause = configuration.reconnectDelay(round)
    phase = .pausing
    return actions + [.report(.reconnecting(attempt: round, after: pause)), .set(.reconnect, pause)]
  }

  mutating func fired(_ timer: Timer) -> [Action] {
    switch timer {
    case .connect:
      guard [.opening, .greeting, .securing, .welcoming].contains(phase) else { return [] }
      return lost(
        DroverError(
          .timeout,
          "connecting to NATS at \(server): not done after \(configuration.connectTimeout), still \(phase)"))
    case .reconnect: return phase == .pausing ? openNext() : []
    case .settled:
      guard phase == .connected else { return [] }
      isSettled = true
      (round, triedInRound) = (0, 0)
      return []
    case .ping:
      guard phase == .connected else { return [] }
      guard pingsOut < configuration.maximumPingsOut else {
        return lost(
          DroverError(.timeout, "the NATS server \(server) has not answered \(pingsOut) pings and counts as dead"))
      }
      pingsOut += 1
      return [ask(.alive), .set(.ping, configuration.pingInterval)]
    }
  }

  mutating func close(_ reason: DroverError?) -> [Action] {
    var actions: [Action] = [.shut]
    actions += [Timer.connect, .ping, .reconnect, .settled].map { .clear($0) }
    actions += unansweredFlushes(Self.closedError("flushing"))
    actions += waitingFlushes.map { .flushed(id: $0, Self.closedError("flushing")) }
    waitingFlushes = []
    let ending = reason.map { DroverError(.unavailable, "the connection to NATS was given up", cause: $0) }
    actions += subscriptions.keys.sorted().map { .end(subscription: $0, ending) }
    subscriptions = [:]
    backlog = ByteBuffer()
    phase = .closed
    return actions + [.report(.closed(reason: reason))]
  }

  private mutating func unansweredFlushes(_ error: DroverError) -> [Action] {
    var actions: [Action] = []
    while let question = questions.popFirst() {
      if case .flush(let id) = question { actions.append(.flushed(id: id, error)) }
    }
    return actions
  }
}
