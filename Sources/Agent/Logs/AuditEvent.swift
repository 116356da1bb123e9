import HTTPService

/// Something that was asked of the agent, as a line in the Common Event Format (reference/agent.md 20):
///
///     CEF:0|CloudFoundry|BOSH|1|agent_api|ping|1|duser=director.… src=10.0.0.6 spt=4222 shost=agent-1
struct AuditEvent: Sendable, Hashable {
  /// The method, or the path of an HTTP request.
  var name: String
  /// In their order; values are not escaped yet.
  var fields: [Field]
  var isFailure: Bool
  /// Seconds since 1970.
  var time = 0

  struct Field: Sendable, Hashable {
    let name: String
    let value: String
  }

  /// Longer values are cut, in characters: a request must not fill the machine's log.
  static let maximumValue = 1024

  /// A message on the bus.
  ///
  /// - Parameters:
  ///   - server: address and port of the bus.
  ///   - failure: why it could not be read or answered.
  static func message(
    method: String, replyTo: String?, server: (host: String, port: Int), failure: String?
  ) -> AuditEvent {
    var event = AuditEvent(
      name: method,
      fields: [
        Field(name: "duser", value: replyTo ?? ""), Field(name: "src", value: server.host),
        Field(name: "spt", value: String(server.port)),
      ], isFailure: failure != nil)
    if let failure {
      event.fields += [Field(name: "cs1", value: failure), Field(name: "cs1Label", value: "statusReason")]
    }
    return event
  }

  /// A request over HTTPS.
  ///
  /// - Parameters:
  ///   - user: as whom somebody asks, whether or not the password is right.
  ///   - peer: from where.
  static func request(
    _ request: HTTPRequest, user: String, peer: (host: String, port: Int), status: Int, reason: String = ""
  ) -> AuditEvent {
    let headers = [
      ("HOST", "Host"), ("X_REAL_IP", "X-Real-IP"), ("X_FORWARDED_FOR", "X-Forwarded-For"),
      ("X_FORWARDED_PROTO", "X-Forwarded-Proto"), ("USER_AGENT", "User-Agent"),
    ].map { "\($0)=\((request.header($1) ?? "").prefix(200))" }.joined(separator: "&")
    var event = AuditEvent(
      name: request.path,
      fields: [
        Field(name: "duser", value: user), Field(name: "requestMethod", value: request.method),
        Field(name: "src", value: peer.host), Field(name: "spt", value: String(peer.port)),
        Field(name: "cs1", value: headers), Field(name: "cs1Label", value: "httpHeaders"),
        Field(name: "cs2", value: "basic"), Field(name: "cs2Label", value: "authType"),
        Field(name: "cs3", value: String(status)), Field(name: "cs3Label", value: "responseStatus"),
      ], isFailure: status >= 400)
    if status >= 400 {
      event.fields += [Field(name: "cs4", value: reason), Field(name: "cs4Label", value: "statusReason")]
    }
    return event
  }

  /// 1, or 7 for what failed.
  var severity: Int { isFailure ? 7 : 1 }

  /// - Parameter hostName: of this machine.
  func line(hostName: String) -> String {
    var fields = fields
    let place = fields.firstIndex { $0.name == "spt" }.map { $0 + 1 } ?? fields.count
    fields.insert(Field(name: "shost", value: hostName), at: place)
    let pairs = fields.map { "\($0.name)=\(Self.escaped($0.value, "="))" }.joined(separator: " ")
    return "CEF:0|CloudFoundry|BOSH|1|agent_api|\(Self.escaped(name, "|"))|\(severity)|\(pairs)"
  }

  /// In what the other side chose nothing may look like a field or a line of ours.
  private static func escaped(_ text: String, _ delimiter: Character) -> String {
    var result = ""
    for character in text.prefix(maximumValue) {
      switch character {
      case "\\", delimiter:
        result.append("\\")
        result.append(character)
      case "\n", "\r\n": result.append("\\n")
      case "\r": result.append("\\r")
      case let character where character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }:
        result.append(" ")
      default: result.append(character)
      }
    }
    return result
  }
}
