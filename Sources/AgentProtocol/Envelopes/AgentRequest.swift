public import Formats

/// A message from a director to an agent (reference/agent.md 7).
public struct AgentRequest: Sendable, Hashable {
  /// 0 when absent; matters for `stop` and `list_disk` only.
  public var protocolVersion: Int
  public var method: String
  public var arguments: [Value]
  /// The subject to answer on: `director.<director uuid>.<agent id>.<request uuid>`.
  public var replyTo: String?
  /// How long the answer may wait for the end of the task that is begun or asked for. An extension of ours: other agents
  /// do not look at it, and answer at once.
  public var waitMilliseconds: Int
  /// What is to be read of the output of the task that is begun, with the answer that says so; its `taskID` is empty. An
  /// extension of ours: other agents answer without it.
  public var reading: ReadOutputRequest?

  public init(
    method: String, arguments: [Value] = [], replyTo: String?, protocolVersion: Int = AgentLimits.protocolVersion,
    waitMilliseconds: Int = 0, reading: ReadOutputRequest? = nil
  ) {
    self.protocolVersion = protocolVersion
    self.method = method
    self.arguments = arguments
    self.replyTo = replyTo
    self.waitMilliseconds = waitMilliseconds
    self.reading = reading
  }

  public init(
    _ method: AgentMethod, _ arguments: [Value] = [], replyTo: String?,
    protocolVersion: Int = AgentLimits.protocolVersion, waitMilliseconds: Int = 0, reading: ReadOutputRequest? = nil
  ) {
    self.init(
      method: method.rawValue, arguments: arguments, replyTo: replyTo, protocolVersion: protocolVersion,
      waitMilliseconds: waitMilliseconds, reading: reading)
  }

  /// What identifies this request: the last dot-separated part of `reply_to`. A repeat carries the same one.
  public var requestID: String? {
    guard let last = replyTo?.split(separator: ".", omittingEmptySubsequences: false).last, !last.isEmpty else {
      return nil
    }
    return String(last)
  }

  public var value: Value {
    var object: ValueObject = [
      "protocol": .int(protocolVersion), "method": .string(method), "arguments": .array(arguments),
      "reply_to": Value(replyTo),
    ]
    if waitMilliseconds > 0 { object["wait_ms"] = .int(waitMilliseconds) }
    if let reading { object["read_output"] = reading.value }
    return .object(object)
  }

  public var bytes: [UInt8] { JSON.bytes(value) }

  /// What became of a message that was read.
  public enum Reading: Sendable, Hashable {
    case request(AgentRequest)
    /// The message can be answered, but only with this exception.
    case refused(replyTo: String?, message: String)
    /// Not JSON, or not an object: nothing can be answered.
    case unreadable(reason: String)
  }

  /// Reads a message. Absent or null `arguments` are none; arguments that are no array are refused, and so is what is
  /// nested too deep. Bytes that are no UTF-8 become replacement characters, as the Go agent has it.
  public static func read(_ bytes: [UInt8]) -> Reading {
    let document: Value
    do {
      document = try parse(bytes)
    } catch let error as DroverError where error.code == .tooLarge {
      let envelope = EnvelopeScan(bytes)
      let method = envelope.members["method"] ?? ""
      return .refused(replyTo: envelope.members["reply_to"], message: AgentTexts.actionFailed(method, "\(error)"))
    } catch {
      return .unreadable(reason: "\(error)")
    }
    guard let object = document.object else {
      return .unreadable(reason: "expected an object, found \(document.kindName)")
    }
    let replyTo = object["reply_to"]?.string
    let method = object["method"]?.string ?? ""
    let wait = min(max(object["wait_ms"]?.int ?? 0, 0), AgentLimits.maximumWaitMilliseconds)
    var request = AgentRequest(
      method: method, replyTo: replyTo, protocolVersion: object["protocol"]?.int ?? 0, waitMilliseconds: wait)
    // One that makes no sense is as none.
    request.reading = object["read_output"].flatMap { try? ReadOutputRequest($0, taskID: "") }
    switch object["arguments"] {
    case nil, .some(.null): break
    case .some(.array(let arguments)): request.arguments = arguments
    case .some(let other):
      return .refused(
        replyTo: replyTo,
        message: AgentTexts.actionFailed(method, "arguments: expected an array, found \(other.kindName)"))
    }
    return .request(request)
  }

  private static func parse(_ bytes: [UInt8]) throws -> Value {
    do {
      return try JSON.parse(bytes)
    } catch {
      guard bytes.first == UInt8(ascii: "{"), String(validating: bytes, as: UTF8.self) == nil else { throw error }
      return try JSON.parse(String(decoding: bytes, as: UTF8.self))
    }
  }
}
