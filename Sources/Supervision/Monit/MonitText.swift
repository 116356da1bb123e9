public import Surroundings

/// The supervisor's state as monit 5.2.5 writes it for people and for the scripts that read it
/// (`reference/lifecycle.md 3.4`).
public struct MonitText: Sendable {
  /// The version that is imitated.
  public static let version = "5.2.5"

  public var services: [ServiceStatus]
  public var uptime: Duration
  public var host: String
  public var machine: MonitMachine

  public init(services: [ServiceStatus], uptime: Duration, host: String, machine: MonitMachine = MonitMachine()) {
    self.services = services
    self.uptime = uptime
    self.host = host
    self.machine = machine
  }

  /// One line for each service.
  public var summary: String {
    header + services.map(Self.line).joined()
      + Self.pad("System 'system_\(host)'", 35) + " running\n"
  }

  /// All that is known of each service.
  public func status(now: Timestamp) -> String {
    let system =
      "System 'system_\(host)'\n" + Self.field("status", "running") + Self.field("monitoring status", "monitored")
      + machine.fields.map { Self.field($0.0, $0.1) }.joined() + Self.field("data collected", Self.date(now)) + "\n"
    return header + services.map { Self.details($0, now) }.joined() + system
  }

  private var header: String { "The Monit daemon \(Self.version) uptime: \(Self.uptime(uptime)) \n\n" }

  private static func line(_ service: ServiceStatus) -> String {
    pad("\(service.kind.title) '\(service.name)'", 35) + " \(state(service))\n"
  }

  /// What summary and status call the state.
  static func state(_ service: ServiceStatus) -> String {
    let pending = service.pendingAction.map { " - \($0.rawValue) pending" } ?? ""
    switch service.monitoring {
    case .no: return "not monitored" + pending
    case .starting: return "initializing" + pending
    case .yes:
      if let failure = service.failure { return failure.event.name + pending }
      switch service.kind {
      case .process, .processMatching, .system: return "running" + pending
      case .file, .directory, .device: return "accessible" + pending
      case .host: return "online with all services" + pending
      }
    }
  }

  private static func details(_ service: ServiceStatus, _ now: Timestamp) -> String {
    let monitoring =
      switch service.monitoring {
      case .no: "not monitored"
      case .yes: "monitored"
      case .starting: "initializing"
      }
    var fields: [(String, String)] = [("status", state(service)), ("monitoring status", monitoring)]
    if let pid = service.pid, let usage = service.usage {
      fields += [
        ("pid", "\(pid)"), ("parent pid", "\(usage.parent)"), ("uptime", uptime(usage.uptime)),
        ("children", "\(usage.children)"), ("memory kilobytes", "\(usage.ownMemoryKilobytes)"),
        ("memory kilobytes total", "\(usage.memoryKilobytes)"),
        ("memory percent", "\(ResourceReadings.tenths(usage.ownMemoryPercent))%"),
        ("memory percent total", "\(ResourceReadings.tenths(usage.memoryPercent))%"),
        ("cpu percent", "\(ResourceReadings.tenths(usage.ownCPUPercent))%"),
        ("cpu percent total", "\(ResourceReadings.tenths(usage.cpuPercent))%"),
      ]
    }
    fields += service.connections.map { connection -> (String, String) in
      let time = ResourceReadings.decimal((connection.time ?? .zero) / .seconds(1), digits: 3)
      let name = connection.connection.http == nil ? "DEFAULT" : "HTTP"
      switch connection.connection.target {
      case .unixSocket(let path): return ("unix socket response time", "\(time)s to \(path) [\(name)]")
      case .tcp(let host, let port), .udp(let host, let port):
        let request = connection.connection.http?.path ?? ""
        return ("port response time", "\(time)s to \(host):\(port)\(request) [\(name) via \(connection.protocolName)]")
      }
    }
    fields.append(("data collected", date(service.collected ?? now)))
    return "\(service.kind.title) '\(service.name)'\n" + fields.map { field($0.0, $0.1) }.joined() + "\n"
  }

  private static func field(_ name: String, _ value: String) -> String { "  \(pad(name, 33)) \(value)\n" }

  /// With spaces, so that it has at least this length.
  private static func pad(_ text: String, _ length: Int) -> String {
    text + String(repeating: " ", count: max(0, length - text.count))
  }

  /// As `3d 4h 5m`.
  static func uptime(_ time: Duration) -> String {
    let minutes = Int(time.components.seconds) / 60
    let (days, hours) = (minutes / 1440, minutes / 60 % 24)
    return (days > 0 ? "\(days)d " : "") + (days + hours > 0 ? "\(hours)h " : "") + "\(minutes % 60)m"
  }

  /// As ctime(3) writes it, in UTC.
  static func date(_ time: Timestamp) -> String {
    let words = RFC822.text(time).split(separator: " ")  // Sat, 21 Nov 2026 09:23:04 +0000
    guard words.count == 6 else { return "" }
    let day = words[1].first == "0" ? " \(words[1].dropFirst())" : String(words[1])
    return "\(words[0].dropLast()) \(words[2]) \(day) \(words[4]) \(words[3])"
  }
}

/// The machine's own figures.
public struct MonitMachine: Sendable, Hashable {
  public var fields: [(String, String)] { named.map { ($0.name, $0.value) } }

  private struct Field: Sendable, Hashable {
    let name: String
    let value: String
  }
  private let named: [Field]
  let memoryKilobytes: Int
  let swapKilobytes: Int
  let processors: Int

  public init() {
    named = []
    (memoryKilobytes, swapKilobytes, processors) = (0, 0, 1)
  }

  init(_ readings: ResourceReadings, _ memory: SystemMemory?, processors: Int) {
    func number(_ resource: ServiceTest.Resource, _ digits: Int) -> String {
      let amount = readings.amounts[resource]
      return ResourceReadings.decimal(amount?.value ?? amount?.percent ?? 0, digits: digits)
    }
    func use(_ part: Int, _ whole: Int) -> String {
      "\(part) kB [\(ResourceReadings.tenths(whole > 0 ? 100 * Double(part) / Double(whole) : 0))%]"
    }
    named = [
      Field(
        name: "load average", value: "[\(number(.load1, 2))] [\(number(.load5, 2))] [\(number(.load15, 2))]"),
      Field(name: "cpu", value: "\(number(.userCPU, 1))%us \(number(.systemCPU, 1))%sy \(number(.waitCPU, 1))%wa"),
      Field(name: "memory usage", value: use(memory?.used ?? 0, memory?.total ?? 0)),
      Field(name: "swap usage", value: use(memory?.swapUsed ?? 0, memory?.swap ?? 0)),
    ]
    memoryKilobytes = memory?.total ?? 0
    swapKilobytes = memory?.swap ?? 0
    self.processors = processors
  }
}

extension ServiceConnectionTime {
  var protocolName: String { if case .udp = connection.target { "UDP" } else { "TCP" } }
}

extension ServiceDefinition.Kind {
  /// How monit calls such a service.
  var title: String {
    switch self {
    case .device: "Filesystem"
    case .directory: "Directory"
    case .file: "File"
    case .process, .processMatching: "Process"
    case .host: "Remote Host"
    case .system: "System"
    }
  }

  /// monit's number for it.
  var number: Int {
    switch self {
    case .device: 0
    case .directory: 1
    case .file: 2
    case .process, .processMatching: 3
    case .host: 4
    case .system: 5
    }
  }
}
