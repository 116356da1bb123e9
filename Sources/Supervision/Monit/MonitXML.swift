public import Surroundings

/// The supervisor's state as the XML of `/_status2?format=xml`, which agents read (`reference/lifecycle.md 3.3`).
public struct MonitXML: Sendable {
  public var text: MonitText
  public var id: String
  /// Changes whenever the control files are read again.
  public var incarnation: Int

  public init(text: MonitText, id: String, incarnation: Int) {
    self.text = text
    self.id = id
    self.incarnation = incarnation
  }

  public func document(now: Timestamp) -> String {
    let machine = text.machine
    let server = [
      Self.element("uptime", text.uptime.components.seconds), "<poll>10</poll><startdelay>0</startdelay>",
      Self.element("localhostname", text.host), "<controlfile>/var/vcap/bosh/etc/monitrc</controlfile>",
      "<httpd><address>127.0.0.1</address><port>2822</port><ssl>0</ssl></httpd>",
    ]
    let platform = [
      "<name>Linux</name><release></release><version></version><machine></machine>",
      Self.element("cpu", machine.processors), Self.element("memory", machine.memoryKilobytes),
      Self.element("swap", machine.swapKilobytes),
    ]
    var xml = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"
    xml += "<monit id=\"\(Self.escape(id))\" incarnation=\"\(incarnation)\" version=\"\(MonitText.version)\">"
    xml += "<server>\(server.joined())</server><platform>\(platform.joined())</platform>"
    xml += "<services>\(text.services.map { Self.service($0, now) }.joined())</services>"
    return xml + "<servicegroups>\(groups)</servicegroups></monit>"
  }

  private static func service(_ service: ServiceStatus, _ now: Timestamp) -> String {
    let seen = service.collected ?? now
    var hint = 0
    for failure in service.failures where failure.event.turn == .changed { hint |= failure.event.kind.rawValue }
    var parts = [
      "<service name=\"\(escape(service.name))\">", element("type", service.kind.number),
      element("collected_sec", seen.seconds), element("collected_usec", Int(seen.nanoseconds % 1_000_000_000 / 1000)),
      element("status", service.bits), element("status_hint", hint), element("monitor", service.monitoring.rawValue),
      "<monitormode>0</monitormode>", element("pendingaction", service.pendingAction?.number ?? 0),
    ]
    if let failure = service.failure {
      let message = ascii(failure.message).replacing("]]>", with: "]] >")
      parts.append("<status_message><![CDATA[\(message)]]></status_message>")
    }
    if let pid = service.pid, let usage = service.usage, service.monitoring != .no {
      parts += [
        element("pid", pid), element("ppid", usage.parent), element("uptime", usage.uptime.components.seconds),
        element("children", usage.children), "<memory>",
        element("percent", ResourceReadings.tenths(usage.ownMemoryPercent)),
        element("percenttotal", ResourceReadings.tenths(usage.memoryPercent)),
        element("kilobyte", usage.ownMemoryKilobytes), element("kilobytetotal", usage.memoryKilobytes),
        "</memory><cpu>", element("percent", ResourceReadings.tenths(usage.ownCPUPercent)),
        element("percenttotal", ResourceReadings.tenths(usage.cpuPercent)), "</cpu>",
      ]
    }
    return parts.joined() + service.connections.map(connection).joined() + "</service>"
  }

  private static func connection(_ connection: ServiceConnectionTime) -> String {
    let time = connection.time.map { ResourceReadings.decimal($0 / .seconds(1), digits: 3) } ?? "-1.000"
    let name = element("protocol", connection.connection.http == nil ? "DEFAULT" : "HTTP")
    switch connection.connection.target {
    case .unixSocket(let path):
      return "<unix>\(element("path", path))\(name)\(element("responsetime", time))</unix>"
    case .tcp(let host, let port), .udp(let host, let port):
      let parts = [
        element("hostname", host), element("portnumber", port),
        element("request", connection.connection.http?.path ?? ""), name, element("type", connection.protocolName),
        element("responsetime", time),
      ]
      return "<port>\(parts.joined())</port>"
    }
  }

  private var groups: String {
    var names: [String] = []
    for name in text.services.flatMap(\.groups) where !names.contains(name) { names.append(name) }
    return names.map { name -> String in
      let members = text.services.filter { $0.groups.contains(name) }.map { Self.element("service", $0.name) }
      return "<servicegroup name=\"\(Self.escape(name))\">\(members.joined())</servicegroup>"
    }.joined()
  }

  private static func element(_ name: String, _ value: some CustomStringConvertible) -> String {
    "<\(name)>\(escape("\(value)"))</\(name)>"
  }

  /// The document says that it is ISO-8859-1; what is ASCII is right in any case.
  private static func escape(_ text: String) -> String {
    var escaped = ascii(text)
    for (sign, entity) in [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")] {
      escaped = escaped.replacing(sign, with: entity)
    }
    return escaped
  }

  private static func ascii(_ text: String) -> String {
    var ascii = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { ascii.append(scalar.isASCII && scalar.value >= 0x20 ? scalar : "?") }
    return String(ascii)
  }
}
