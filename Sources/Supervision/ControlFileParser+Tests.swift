import Formats

/// The `if … then …` statements.
extension ControlFileParser {
  private static let resources = [
    "totalmem", "mem", "memory", "totalmemory", "cpu", "totalcpu", "space", "inode", "children", "loadavg", "size",
  ]

  mutating func test(_ line: Int) throws -> ServiceTest {
    var test: ServiceTest
    if let resource = take(oneOf: Self.resources) {
      test = try self.resource(resource, line)
    } else if take("failed") {
      test = ServiceTest(
        condition: .connection(try connection()), count: 1, cycles: 1, action: .alert, recovery: nil, line: line)
    } else if take("changed") {
      guard take("timestamp") else { throw unexpected("'timestamp'") }
      test = ServiceTest(condition: .changedTimestamp, count: 1, cycles: 1, action: .alert, recovery: nil, line: line)
    } else if position + 1 < tokens.count, ["restart", "restarts"].contains(tokens[position + 1].keyword) {
      let count = try wholeNumber("a number of restarts")
      position += 1
      test = ServiceTest(condition: .restarts, count: count, cycles: count, action: .alert, recovery: nil, line: line)
      test.cycles = try wholeNumber("a number of cycles")
      guard take(oneOf: ["cycle", "cycles"]) != nil else { throw unexpected("'cycles'") }
    } else {
      throw unexpected(
        "\(Self.resources.joined(separator: ", ")), failed, changed timestamp, or N restarts within M cycles")
    }
    try window(&test)
    guard take("then") else { throw unexpected("'then' and an action") }
    test.action = try action()
    if take("else") {
      _ = take("if")
      _ = take(oneOf: ["recovered", "passed", "succeeded"])
      var ignored = test
      try window(&ignored)
      _ = take("then")
      test.recovery = try action()
    }
    return test
  }

  /// `[for] N cycles`, `N times within M cycles`, `N M cycles`: 1 to 64 cycles.
  private mutating func window(_ test: inout ServiceTest) throws {
    guard case .restarts = test.condition else {
      guard let current, current.kind == .word, current.text.first?.isNumber ?? false else { return }
      test.count = try wholeNumber("a number of cycles")
      test.cycles = test.count
      if take(oneOf: ["cycle", "cycles"]) != nil { return try check(test) }
      test.cycles = try wholeNumber("a number of cycles")
      guard take(oneOf: ["cycle", "cycles"]) != nil else { throw unexpected("'cycles'") }
      return try check(test)
    }
  }

  private func check(_ test: ServiceTest) throws {
    guard (1...64).contains(test.cycles), (1...test.cycles).contains(test.count) else {
      throw DroverError(
        .invalid, "\(file) line \(test.line): 1 to 64 cycles are possible, and no more times than cycles")
    }
  }

  private mutating func resource(_ name: String, _ line: Int) throws -> ServiceTest {
    let words = [
      "greater": ">", "gt": ">", "less": "<", "lt": "<", "equal": "=", "eq": "=", "notequal": "!=", "ne": "!=",
    ]
    guard let token = current, let written = token.keyword,
      let comparison = ServiceTest.Comparison(rawValue: written == "==" ? "=" : words[written] ?? written)
    else { throw unexpected("a comparison: >, <, =, !=, greater, less") }
    position += 1
    let (value, attached) = try number("a number")
    var unit = attached
    let units = ["%", "b", "byte", "bytes", "kb", "kilobyte", "mb", "megabyte", "gb", "gigabyte"]
    if unit.isEmpty { unit = take(oneOf: units) ?? "" }
    guard unit.isEmpty || units.contains(unit) else {
      position -= 1
      throw unexpected("a number with one of the units \(units.joined(separator: ", "))")
    }
    let factor: Double =
      switch unit.first {
      case "k": 1024
      case "m": 1024 * 1024
      case "g": 1024 * 1024 * 1024
      default: 1
      }
    return ServiceTest(
      condition: .resource(
        name: name, comparison, value * factor, unit == "%" ? .percent : unit.isEmpty ? .none : .bytes),
      count: 1, cycles: 1, action: .alert, recovery: nil, line: line)
  }

  private mutating func connection() throws -> ServiceTest.Connection {
    var host = "localhost"
    var connection = ServiceTest.Connection(
      target: .tcp(host: host, port: 0), protocolName: nil, request: nil, timeout: .seconds(5))
    while let keyword = take(oneOf: [
      "host", "port", "unixsocket", "unix", "type", "protocol", "proto", "request", "timeout",
    ]) {
      switch keyword {
      case "host": host = try name("a host")
      case "port":
        let port = try wholeNumber("a port")
        guard (1...65_535).contains(port) else {
          position -= 1
          throw unexpected("a port from 1 to 65535")
        }
        connection.target = .tcp(host: host, port: port)
      case "unixsocket", "unix": connection.target = .unixSocket(path: try text("the path of a socket"))
      case "type":
        guard take("tcp") else { throw unexpected("'tcp'") }
      case "protocol", "proto": connection.protocolName = try name("a protocol").lowercased()
      case "request": connection.request = try text("the path of a request")
      default: connection.timeout = try timeout()
      }
    }
    if case .tcp(_, let port) = connection.target {
      guard port > 0 else { throw unexpected("'port N' or 'unixsocket PATH'") }
      connection.target = .tcp(host: host, port: port)
    }
    return connection
  }

  private mutating func action() throws -> ServiceTest.Action {
    switch take(oneOf: ["alert", "restart", "start", "stop", "unmonitor", "timeout", "exec"]) {
    case "alert": return .alert
    case "restart": return .restart
    case "start": return .start
    case "stop": return .stop
    case "unmonitor", "timeout": return .unmonitor
    case "exec": return .exec(try command("a program"))
    default: throw unexpected("an action: alert, restart, start, stop, unmonitor, exec")
    }
  }
}
