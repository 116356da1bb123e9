import Formats

/// What a client does about what the server says.
extension NATSSession {
  mutating func received(_ operation: NATSOperation) -> [Action] {
    guard [.greeting, .welcoming, .connected].contains(phase) else { return [] }
    pingsOut = 0
    switch operation {
    case .info(let info): return greeted(info)
    case .ping: return [.send(NATSCommand.pong)]
    case .pong: return answered()
    case .ok: return []
    case .error(let text): return complained(NATSComplaint(text), text)
    case .message(let id, let message):
      return subscriptions[id] == nil ? [] : [.deliver(subscription: id, message)]
    }
  }

  private mutating func answered() -> [Action] {
    switch questions.popFirst() {
    case .welcome: return phase == .welcoming ? welcomed() : []
    case .flush(let id): return [.flushed(id: id, nil)]
    case .alive, nil: return []
    }
  }

  private mutating func complained(_ kind: NATSComplaint, _ text: String) -> [Action] {
    switch kind {
    case .publishDenied(let subject): return [.report(.permissionError(operation: .publish, subject: subject))]
    case .subscriptionDenied(let subject, let queue):
      let error = DroverError(.forbidden, "subscribing to \(subject): the NATS server does not permit it: \(text)")
      let refused = subscriptions.filter { $0.value.subject == subject && (queue == nil || $0.value.queue == queue) }
      var actions: [Action] = [.report(.permissionError(operation: .subscription, subject: subject))]
      for id in refused.keys.sorted() {
        subscriptions[id] = nil
        actions.append(.end(subscription: id, error))
      }
      return actions
    case .fatal(let code):
      complaint = DroverError(code, "the NATS server \(server) ended the connection: \(text)")
      return [.report(.serverError(text))]
    case .other: return [.report(.serverError(text))]
    }
  }
}

/// The kinds of `-ERR`.
enum NATSComplaint: Sendable, Equatable {
  case publishDenied(subject: String)
  case subscriptionDenied(subject: String, queue: String?)
  /// The server hangs up after it.
  case fatal(DroverError.Code)
  case other

  init(_ text: String) {
    let lower = text.lowercased()
    let quoted = text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    if lower.hasPrefix("permissions violation for publish"), let subject = quoted.first {
      self = .publishDenied(subject: subject)
    } else if lower.hasPrefix("permissions violation for subscription"), let subject = quoted.first {
      self = .subscriptionDenied(subject: subject, queue: quoted.count > 1 ? quoted[1] : nil)
    } else if lower.hasPrefix("authorization") || lower.hasPrefix("user authentication")
      || lower.hasPrefix("account authentication")
    {
      self = .fatal(.forbidden)
    } else if lower.hasPrefix("stale connection") || lower.hasPrefix("authentication timeout") {
      self = .fatal(.timeout)
    } else if lower.hasPrefix("maximum payload") || lower.hasPrefix("slow consumer") {
      self = .fatal(.tooLarge)
    } else if [
      "maximum connections", "maximum account", "secure connection", "tls required", "parser error",
      "unknown protocol", "attempted to connect", "invalid client protocol", "maximum control line", "server shutdown",
    ].contains(where: { lower.hasPrefix($0) }) {
      self = .fatal(.unavailable)
    } else {
      self = .other
    }
  }
}
