public import Formats

/// An agent's answer: a value or an exception (reference/agent.md 7).
public enum AgentResponse: Sendable, Hashable {
  case value(Value)
  case exception(message: String)

  public var value: Value {
    switch self {
    case .value(let value): ["value": value]
    case .exception(let message): ["exception": ["message": .string(message)]]
    }
  }

  /// The answer as bytes that fit into `limit`: a long exception keeps head and tail, a long value becomes an exception.
  public func bytes(limit: Int = AgentLimits.maximumReplyBytes) -> [UInt8] {
    let whole = JSON.bytes(value)
    guard whole.count > limit else { return whole }
    if case .exception(let message) = self {
      // Escapes make a text longer than its bytes, so shorten until it fits.
      var room = limit - 64
      while room > AgentTexts.truncationMark.utf8.count {
        let short = JSON.bytes(AgentResponse.exception(message: AgentTexts.shortened(message, to: room)).value)
        if short.count <= limit { return short }
        room = room / 2
      }
    }
    return JSON.bytes(AgentResponse.exception(message: AgentTexts.responseTooLong).value)
  }

  /// Reads an agent's answer, also that of an old agent whose exception has more members.
  /// - Throws: ``DroverError`` with code `invalid` when it is neither a value nor an exception.
  public init(_ bytes: [UInt8]) throws { try self.init(JSON.parse(bytes)) }

  /// The same of what was parsed.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "agent reply")
    if let exception = reader.value("exception") {
      self = .exception(message: exception["message"]?.string ?? exception.string ?? JSON.text(exception))
    } else if let value = reader.object["value"] {
      self = .value(value)
    } else {
      throw DroverError(.invalid, "agent reply: expected 'value' or 'exception', found neither")
    }
  }
}

extension AgentResponse {
  /// Whether a value can be answered without being too long.
  public static func fits(_ value: Value, limit: Int = AgentLimits.maximumReplyBytes) -> Bool {
    JSON.bytes(AgentResponse.value(value).value).count <= limit
  }
}
