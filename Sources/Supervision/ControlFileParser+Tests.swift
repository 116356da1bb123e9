import Formats

/// The `if … then …` statements.
extension ControlFileParser {
  mutating func test(_ line: Int, _ kind: ServiceDefinition.Kind) throws -> ServiceTest {
    let start = position
    var test = ServiceTest(try condition(kind), line: line)
    if case .restarts = test.condition {
      // Its numbers come before and after the word.
      test.window.count = try wholeNumber("a number of restarts")
      position += 1
      test.window.cycles = try wholeNumber("a number of cycles")
      guard take(oneOf: ["cycle", "cycles"]) != nil else { throw unexpected("'cycles'") }
      guard test.window.count > 0, test.window.cycles > 0 else {
        throw mistake(tokens[start], "a limit of restarts needs at least 1 restart and 1 cycle")
      }
    } else {
      test.window = try window()
    }
    guard Self.fits(test.condition, kind) else {
      let subject =
        tokens[start].text.lowercased() == "failed" ? "failed \(tokens[start + 1].text)" : tokens[start].text
      throw mistake(tokens[start], "'if \(subject)' is no test for 'check \(kind.keyword)'")
    }
    guard take("then") else { throw unexpected("'then' and an action") }
    test.action = try action()
    if take("else") {
      _ = take("if")
      _ = take(oneOf: ["recovered", "passed", "succeeded", "changed"])
      test.recoveryWindow = try window()
      _ = take("then")
      test.recovery = try action()
    }
    return test
  }

  private static func fits(_ condition: ServiceTest.Condition, _ kind: ServiceDefinition.Kind) -> Bool {
    switch (condition, kind) {
    case (.restarts, _): true
    case (.connection, .process), (.connection, .processMatching), (.connection, .host): true
    case (.resource(let resource, _, _, _), _): resource.kinds.contains(kind.keyword)
    case (.changed(.timestamp), .file), (.changed(.timestamp), .directory): true
    case (.changed, .file), (.checksum, .file): true
    case (.permission, .file), (.user, .file), (.group, .file): true
    case (.permission, .directory), (.user, .directory), (.group, .directory): true
    case (.permission, .device), (.user, .device), (.group, .device): true
    default: false
    }
  }

  private mutating func condition(_ kind: ServiceDefinition.Kind) throws -> ServiceTest.Condition {
    if let resource = try resourceName(kind) { return try limit(resource) }
    if take("failed") { return try failed(kind) }
    if take("changed") {
      guard let name = take(oneOf: ServiceTest.Property.allCases.map(\.rawValue)),
        let property = ServiceTest.Property(rawValue: name)
      else {
        throw unexpected("'timestamp', 'size' or 'checksum'")
      }
      return .changed(property)
    }
    if position + 1 < tokens.count, ["restart", "restarts"].contains(tokens[position + 1].keyword) { return .restarts }
    throw unexpected(
      "\(Self.resources.joined(separator: ", ")), failed, changed, or N restarts within M cycles (other tests are not "
        + "supported)")
  }

  /// `[for] N cycles`, `N times within M cycles`, `N M cycles`: 1 to 64 cycles.
  private mutating func window() throws -> ServiceTest.Window {
    var window = ServiceTest.Window()
    guard let first = current, first.kind == .word, first.text.first?.isNumber ?? false else { return window }
    window.count = try wholeNumber("a number of cycles")
    window.cycles = window.count
    if take(oneOf: ["cycle", "cycles"]) == nil {
      window.cycles = try wholeNumber("a number of cycles")
      guard take(oneOf: ["cycle", "cycles"]) != nil else { throw unexpected("'cycles'") }
    }
    guard (1...64).contains(window.cycles), (1...window.cycles).contains(window.count) else {
      throw mistake(first, "1 to 64 cycles are possible, and no more times than cycles")
    }
    return window
  }

  // MARK: Limits

  private static let resources = [
    "cpu", "totalcpu", "mem", "memory", "totalmem", "totalmemory", "children", "loadavg", "swap", "space", "inode",
    "size", "timestamp",
  ]

  private mutating func resourceName(_ kind: ServiceDefinition.Kind) throws -> ServiceTest.Resource? {
    guard let name = take(oneOf: Self.resources) else { return nil }
    switch name {
    case "totalcpu": return .totalCPU
    case "mem", "memory": return .memory
    case "totalmem", "totalmemory": return .totalMemory
    case "children": return .children
    case "swap": return .swap
    case "space": return .space
    case "inode": return .inodes
    case "size": return .size
    case "timestamp": return .age
    case "loadavg":
      switch take(oneOf: ["1min", "5min", "15min"]) {
      case "1min": return .load1
      case "5min": return .load5
      case "15min": return .load15
      default: throw unexpected("'(1min)', '(5min)' or '(15min)'")
      }
    default:
      switch take(oneOf: ["user", "usr", "us", "system", "sys", "sy", "wait", "wa"]) {
      case "user", "usr", "us": return .userCPU
      case "system", "sys", "sy": return .systemCPU
      case "wait", "wa": return .waitCPU
      default:
        if kind == .system { throw unexpected("'(user)', '(system)' or '(wait)'") }
        return .cpu
      }
    }
  }

  private mutating func limit(_ resource: ServiceTest.Resource) throws -> ServiceTest.Condition {
    let words = [
      "greater": ">", "gt": ">", "less": "<", "lt": "<", "equal": "=", "eq": "=", "notequal": "!=", "ne": "!=",
    ]
    guard let token = current, let written = token.keyword,
      let comparison = ServiceTest.Comparison(rawValue: written == "==" ? "=" : words[written] ?? written)
    else { throw unexpected("a comparison: >, <, =, !=, greater, less") }
    position += 1
    let start = position
    let (value, attached) = try number("a number")
    let units = resource.units
    let unit = attached.isEmpty ? take(oneOf: units.keys) ?? "" : attached
    guard let (factor, measure) = units[unit] else {
      position = start
      throw unexpected(
        "a number with one of the units \(units.keys.filter { !$0.isEmpty }.sorted().joined(separator: ", "))")
    }
    return .resource(resource, comparison, value * factor, measure)
  }

  // MARK: What can fail

  private mutating func failed(_ kind: ServiceDefinition.Kind) throws -> ServiceTest.Condition {
    if take("permission") {
      let start = position
      let bits = try text("permissions in octal, as 0644")
      guard let number = Int(bits, radix: 8), (0...0o7777).contains(number) else {
        position = start
        throw unexpected("permissions in octal, as 0644")
      }
      return .permission(number)
    }
    if take("uid") { return .user(try name("a user")) }
    if take("gid") { return .group(try name("a group")) }
    if take(oneOf: ["sha1", "checksum"]) != nil {
      _ = take("checksum")
      _ = take("expect")
      _ = take(oneOf: ["sum", "sha1"])
      let start = position
      let sum = try text("the SHA-1 that the file should have").lowercased()
      guard sum.utf8.count == 40, sum.allSatisfy(\.isHexDigit) else {
        position = start
        throw unexpected("the SHA-1 that the file should have (40 hexadecimal digits; MD5 is not supported)")
      }
      return .checksum(expected: sum)
    }
    return .connection(try connection(kind))
  }

  private mutating func connection(_ kind: ServiceDefinition.Kind) throws -> ServiceTest.Connection {
    // Without a host, it is the one that is checked.
    let start = position
    var host = "localhost"
    if case .host(let address) = kind { host = address }
    var port: Int?
    var isDatagram = false
    var connection = ServiceTest.Connection(target: .tcp(host: host, port: 0))
    while let keyword = take(oneOf: [
      "host", "port", "unixsocket", "unix", "type", "protocol", "proto", "request", "hostheader", "timeout", "send",
      "expect",
    ]) {
      switch keyword {
      case "host": host = try name("a host")
      case "port":
        let start = position
        port = try wholeNumber("a port")
        guard let port, (1...65_535).contains(port) else {
          position = start
          throw unexpected("a port from 1 to 65535")
        }
      case "unixsocket", "unix": connection.target = .unixSocket(path: try text("the path of a socket"))
      case "type":
        guard let type = take(oneOf: ["tcp", "udp"]) else { throw unexpected("'tcp' or 'udp'") }
        isDatagram = type == "udp"
      case "protocol", "proto":
        guard let name = take(oneOf: ["http", "default"]) else {
          throw unexpected("'http' (other protocols are not supported; without one, the connection itself is tested)")
        }
        connection.http = name == "http" ? ServiceTest.HTTPRequest() : nil
      case "request", "hostheader":
        let start = position
        let value = try text(keyword == "request" ? "the path of a request" : "the name of a host")
        guard connection.http != nil else {
          position = start - 1
          throw unexpected("'protocol http' before '\(keyword)'")
        }
        if keyword == "request" { connection.http?.path = value } else { connection.http?.hostHeader = value }
      case "send":
        connection.conversation.append(.send(ControlFileEscapes.bytes(try text("what is sent"))))
      case "expect": connection.conversation.append(.expect(pattern: try pattern("what is expected", hasEscapes: true)))
      default: connection.timeout = try timeout()
      }
      if connection.http != nil, !connection.conversation.isEmpty {
        throw mistake(tokens[start], "'send' and 'expect' are for protocols other than http")
      }
    }
    if case .unixSocket = connection.target { return connection }
    guard let port else { throw unexpected("'port N' or 'unixsocket PATH'") }
    connection.target = isDatagram ? .udp(host: host, port: port) : .tcp(host: host, port: port)
    return connection
  }

  private mutating func action() throws -> ServiceTest.Action {
    switch take(oneOf: ["alert", "restart", "start", "stop", "unmonitor", "timeout", "exec"]) {
    case "alert": return .alert
    case "restart": return .restart
    case "start": return .start
    case "stop": return .stop
    case "unmonitor", "timeout": return .unmonitor
    case "exec":
      var program = ServiceProgram(try command("a program"))
      while let word = take(oneOf: ["uid", "gid"]) {
        if word == "uid" { program.user = try name("a user") } else { program.group = try name("a group") }
      }
      return .exec(program)
    default: throw unexpected("an action: alert, restart, start, stop, unmonitor, exec")
    }
  }
}

extension ServiceTest.Resource {
  /// The kinds of services that have it.
  fileprivate var kinds: Set<String> {
    switch self {
    case .cpu, .totalCPU, .totalMemory, .children: ["process"]
    case .memory, .load1, .load5, .load15: ["process", "system"]
    case .userCPU, .systemCPU, .waitCPU, .swap: ["system"]
    case .space, .inodes: ["device"]
    case .size: ["file"]
    case .age: ["file", "directory"]
    }
  }

  /// The units of its limits: by what a number is multiplied, and what it then is.
  fileprivate var units: [String: (Double, ServiceTest.Unit)] {
    let bytes: [String: (Double, ServiceTest.Unit)] = [
      "b": (1, .bytes), "byte": (1, .bytes), "bytes": (1, .bytes), "kb": (1024, .bytes), "kilobyte": (1024, .bytes),
      "mb": (1_048_576, .bytes), "megabyte": (1_048_576, .bytes), "gb": (1_073_741_824, .bytes),
      "gigabyte": (1_073_741_824, .bytes), "": (1, .bytes),
    ]
    switch self {
    case .cpu, .totalCPU, .userCPU, .systemCPU, .waitCPU: return ["%": (1, .percent), "": (1, .percent)]
    case .memory, .totalMemory, .swap, .space: return bytes.merging(["%": (1, .percent)]) { first, _ in first }
    case .inodes: return ["%": (1, .percent), "": (1, .none)]
    case .children, .load1, .load5, .load15: return ["": (1, .none)]
    case .size: return bytes
    case .age:
      return [
        "": (1, .none), "s": (1, .none), "second": (1, .none), "seconds": (1, .none), "minute": (60, .none),
        "minutes": (60, .none), "hour": (3600, .none), "hours": (3600, .none), "day": (86_400, .none),
        "days": (86_400, .none),
      ]
    }
  }
}

extension ServiceDefinition.Kind {
  /// The word after `check`.
  var keyword: String {
    switch self {
    case .process, .processMatching: "process"
    case .file: "file"
    case .directory: "directory"
    case .device: "device"
    case .host: "host"
    case .system: "system"
    }
  }
}
