import Formats
import Processes
public import Surroundings

/// What monit's HTTP face answers (`reference/lifecycle.md 3.3`), apart from the connection it comes over.
///
/// | request | answer |
/// | --- | --- |
/// | `GET /_status2?format=xml` | everything, for agents |
/// | `GET /_status?format=text&level=summary`, `full` | for people; `group=G` for some services |
/// | `POST /NAME` `action=start`, `stop`, `restart`, `monitor`, `unmonitor` | accepted; with `wait=1`, done |
/// | `POST /_all` `action=…&group=G` | the same for all services, or those of a group, at the same time |
/// | `POST /_reload` | the control files have been read again |
public struct MonitFace: Sendable {
  public struct Request: Sendable {
    public var method: String
    /// Path and query.
    public var target: String
    public var authorization: String?
    public var body: String

    public init(method: String, target: String, authorization: String? = nil, body: String = "") {
      self.method = method
      self.target = target
      self.authorization = authorization
      self.body = body
    }
  }

  public struct Response: Sendable, Hashable {
    public var status: Int
    public var type = "text/html"
    public var body: String
  }

  private let supervisor: Supervisor
  private let surroundings: Surroundings
  private let credentials: String
  private let id: String

  /// - Parameter credentials: `user:password`, as in monit.user.
  public init(_ supervisor: Supervisor, credentials: String, surroundings: Surroundings) {
    self.supervisor = supervisor
    self.surroundings = surroundings
    self.credentials = credentials
    id = surroundings.identifier()
  }

  public func answer(_ request: Request) async -> Response {
    guard isAllowed(request.authorization) else { return Self.page(401, "You are not authorized to access monit") }
    let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = Self.decode(parts.first?.dropFirst() ?? "")
    var fields = Self.fields(parts.count > 1 ? parts[1] : "")
    switch request.method {
    case "GET": return await show(path, fields)
    case "POST":
      fields.merge(Self.fields(request.body[...])) { _, new in new }
      return await act(path, fields)
    default: return Self.page(501, "Method not implemented")
    }
  }

  private func show(_ path: String, _ fields: [String: String]) async -> Response {
    let format = fields["format"] ?? "text"
    switch (path, format) {
    case ("_ping", _): return Response(status: 200, type: "text/plain", body: "pong")
    case ("_status2", "xml"):
      let text = await text(group: fields["group"])
      let xml = MonitXML(text: text, id: id, incarnation: await supervisor.incarnation)
      return Response(status: 200, type: "text/xml", body: xml.document(now: surroundings.now()))
    case ("_status", "text"), ("_status2", "text"):
      let text = await text(group: fields["group"])
      let body = fields["level"] == "summary" ? text.summary : text.status(now: surroundings.now())
      return Response(status: 200, type: "text/plain", body: body)
    default: return Self.page(404, "There is no service by that name")
    }
  }

  private func text(group: String?) async -> MonitText {
    let services = await supervisor.status().filter { status in group.map { status.groups.contains($0) } ?? true }
    return MonitText(
      services: services, uptime: surroundings.now() - supervisor.began, host: Accounts.hostName(),
      machine: await supervisor.machine())
  }

  private func act(_ path: String, _ fields: [String: String]) async -> Response {
    if path == "_reload" {
      do {
        try await supervisor.loadControlFiles()
        return Self.page(200, "reloaded")
      } catch {
        return Self.page(500, "\(error)")
      }
    }
    guard let action = ServiceAction(rawValue: fields["action"] ?? "") else {
      return Self.page(400, "Invalid action")
    }
    let all = await supervisor.status()
    let names: [String]
    if path == "_all" {
      names = all.filter { service in fields["group"].map { service.groups.contains($0) } ?? true }.map(\.name)
    } else {
      guard all.contains(where: { $0.name == path }) else {
        return Self.page(404, "There is no service by that name")
      }
      names = [path]
    }
    for name in names {
      if await supervisor.isBusy(name, for: action) {
        return Self.page(503, "Other action already in progress -- please try again later")
      }
    }
    guard fields["wait"] == "1" else {
      for name in names { await supervisor.begin(action, name) }
      return Self.page(200, "accepted")
    }
    let problems = await withTaskGroup(of: String?.self, returning: [String].self) { group in
      for name in names {
        group.addTask {
          do {
            try await supervisor.perform(action, name)
            return nil
          } catch {
            return "\(error)"
          }
        }
      }
      var problems: [String] = []
      for await case let problem? in group { problems.append(problem) }
      return problems
    }
    return problems.isEmpty ? Self.page(200, "done") : Self.page(500, problems.sorted().joined(separator: "; "))
  }

  // MARK: Forms

  /// A page as small as scripts and agents need it; the message comes after the heading.
  private static func page(_ status: Int, _ message: String) -> Response {
    let text = message.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    return Response(
      status: status, body: "<html><body bgcolor=#FFFFFF><h2>monit</h2>\(text)<p></body></html>\r\n")
  }

  private func isAllowed(_ authorization: String?) -> Bool {
    let wanted = Array("Basic \(Base64.encode(Array(credentials.utf8)))".utf8)
    let given = Array((authorization ?? "").utf8)
    // Takes as long whatever is wrong.
    var difference = UInt8(given.count == wanted.count ? 0 : 1)
    for (left, right) in zip(given, wanted) { difference |= left ^ right }
    return difference == 0 && !credentials.isEmpty
  }

  static func fields(_ form: Substring) -> [String: String] {
    var fields: [String: String] = [:]
    for part in form.split(separator: "&") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[decode(pair[0])] = pair.count > 1 ? decode(pair[1]) : ""
    }
    return fields
  }

  /// Percent signs and pluses of a form.
  static func decode(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"),
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
