import Digests
import Files
import Formats
import Processes
import Surroundings

/// Looks at what a service's tests ask for, once a cycle, and remembers what has to be compared with the next look.
actor ServiceProbe {
  private let definition: ServiceDefinition
  private let tests: [ServiceTest]
  private let machine: MachineReadings
  private let surroundings: Surroundings
  private var sample: UsageSample?
  private var ownSample: UsageSample?
  private var properties: [ServiceTest.Property: String] = [:]
  private(set) var connections: [ServiceConnectionTime] = []

  init(_ definition: ServiceDefinition, machine: MachineReadings, surroundings: Surroundings) {
    self.definition = definition
    tests = ServiceTests(definition.tests).tests
    self.machine = machine
    self.surroundings = surroundings
  }

  /// One outcome per test of ``ServiceTests``, in their order.
  ///
  /// - Parameter process: the service's own, if it is one.
  func look(_ process: ProcessIdentity?) async -> [ServiceTests.Outcome] {
    let readings = await self.readings(process)
    var outcomes: [ServiceTests.Outcome] = []
    var times: [ServiceConnectionTime] = []
    for test in tests {
      if case .connection(let connection) = test.condition {
        let (outcome, time) = await connect(connection)
        outcomes.append(outcome)
        times.append(ServiceConnectionTime(connection: connection, time: time))
      } else {
        outcomes.append(outcome(test.condition, readings))
      }
    }
    connections = times
    return outcomes
  }

  private func outcome(_ condition: ServiceTest.Condition, _ readings: ResourceReadings) -> ServiceTests.Outcome {
    if case .resource(let resource, let comparison, let limit, let unit) = condition {
      return readings.outcome(resource, comparison, limit, unit)
    }
    guard let path = definition.kind.path, let facts = try? FileFacts(path) else { return .unknown }
    do {
      switch condition {
      case .changed(let property): return try changed(property, path, facts)
      case .checksum(let expected):
        let found = try Self.checksum(path, .sha1)
        return found == expected
          ? .passed : .failed("checksum test failed for \(path): its SHA-1 is \(found), not \(expected)")
      case .permission(let wanted):
        return facts.permissions == wanted
          ? .passed
          : .failed("permission test failed for \(path): its permission is \(String(facts.permissions, radix: 8))")
      case .user(let name):
        return try facts.user == Accounts.user(name)
          ? .passed : .failed("uid test failed for \(path): its uid is \(facts.user)")
      case .group(let name):
        return try facts.group == Accounts.group(name)
          ? .passed : .failed("gid test failed for \(path): its gid is \(facts.group)")
      default: return .unknown
      }
    } catch {
      return .failed("\(error)")
    }
  }

  private func changed(
    _ property: ServiceTest.Property, _ path: String, _ facts: FileFacts
  ) throws -> ServiceTests.Outcome {
    let found =
      switch property {
      case .timestamp: facts.changed.preciseText
      case .size: "\(facts.size)"
      case .checksum: try Self.checksum(path, .sha256)
      }
    let before = properties.updateValue(found, forKey: property)
    return before == nil || before == found ? .passed : .failed("\(property.rawValue) was changed for \(path)")
  }

  private static func checksum(_ path: String, _ algorithm: DigestAlgorithm) throws -> String {
    var hasher = DigestHasher([algorithm])
    // A file that is gone has no content.
    try Files.ifPresent { try OpenFile(reading: path).forEachPiece { hasher.update($0) } }
    return hasher.finish().pieces.first?.hex ?? ""
  }

  // MARK: Connections

  private func connect(_ connection: ServiceTest.Connection) async -> (ServiceTests.Outcome, Duration?) {
    let start = surroundings.elapsed()
    let probe = SocketProbe(connection.target.probe, timeout: connection.timeout, surroundings: surroundings)
    do {
      if !connection.conversation.isEmpty {
        try await probe.converse(connection.conversation.map { try $0.step })
        return (.passed, surroundings.elapsed() - start)
      }
      let answer = try await probe.ask(connection.request)
      if connection.http != nil, !Self.isGood(answer) {
        let found = answer.isEmpty ? "no answer" : "'\(answer.prefix(100))'"
        return (.failed("failed protocol test [HTTP] at \(connection.place): \(found)"), nil)
      }
      return (.passed, surroundings.elapsed() - start)
    } catch {
      let what =
        connection.conversation.isEmpty ? "failed, cannot open a connection to" : "failed protocol test [generic] at"
      return (.failed("\(what) \(connection.place): \(error)"), nil)
    }
  }

  /// Whether the first line of an answer has a status below 400.
  static func isGood(_ line: String) -> Bool {
    let words = line.split(separator: " ")
    guard words.count > 1, words[0].hasPrefix("HTTP/"), let status = Int(words[1]) else { return false }
    return (100..<400).contains(status)
  }

  // MARK: Resources

  private func readings(_ process: ProcessIdentity?) async -> ResourceReadings {
    var readings = ResourceReadings()
    let wanted = Set(
      tests.compactMap { if case .resource(let resource, _, _, _) = $0.condition { resource } else { nil } })
    if wanted.isEmpty { return readings }
    switch definition.kind {
    case .process, .processMatching:
      guard let process else { return readings }
      readings = await machine.loads()
      guard let usage = await machine.table().usage(ofTreeAt: process.pid) else { return readings }
      add(usage, of: process, to: &readings)
    case .system: readings = await machine.all()
    case .device(let path):
      guard let use = try? FilesystemUse(path) else { return readings }
      readings.amounts[.space] = .init(value: Double(use.usedBytes), percent: use.usedPercent)
      readings.amounts[.inodes] = .init(value: Double(use.usedInodes), percent: use.usedInodesPercent)
    case .file(let path), .directory(let path):
      guard let facts = try? FileFacts(path) else { return readings }
      readings.amounts[.size] = .init(value: Double(facts.size))
      readings.amounts[.age] = .init(value: max(0, (surroundings.now() - facts.changed) / .seconds(1)))
    case .host: break
    }
    return readings
  }

  private func add(_ usage: ProcessUsage, of process: ProcessIdentity, to readings: inout ResourceReadings) {
    let total = Double(SystemMemory.totalKilobytes())
    let share: (Int) -> Double? = { total > 0 ? 100 * Double($0) / total : nil }
    readings.amounts[.memory] = .init(
      value: Double(usage.residentKilobytes) * 1024, percent: share(usage.residentKilobytes))
    readings.amounts[.totalMemory] = .init(
      value: Double(usage.totalResidentKilobytes) * 1024, percent: share(usage.totalResidentKilobytes))
    readings.amounts[.children] = .init(value: Double(usage.children))
    let now = surroundings.elapsed()
    let all = UsageSample(process: process, cpuTime: usage.cpuTime, taken: now)
    let own = UsageSample(process: process, cpuTime: usage.ownCPUTime, taken: now)
    // Before the second look there is nothing to say about the time between two looks.
    let processors = Double(SystemMemory.processors())
    if let sample, sample.process == process {
      readings.amounts[.totalCPU] = .init(percent: all.percent(since: sample, uptime: usage.uptime) / processors)
    }
    if let ownSample, ownSample.process == process {
      readings.amounts[.cpu] = .init(percent: own.percent(since: ownSample, uptime: usage.uptime) / processors)
    }
    sample = all
    ownSample = own
  }
}

extension ServiceDefinition.Kind {
  /// What has to be there.
  var path: String? {
    switch self {
    case .file(let path), .directory(let path), .device(let path): path
    case .process, .processMatching, .host, .system: nil
    }
  }
}

extension ServiceTest.Connection {
  /// Where it goes, as monit writes it.
  var place: String {
    switch target {
    case .tcp(let host, let port): "INET[\(host):\(port)] via TCP"
    case .udp(let host, let port): "INET[\(host):\(port)] via UDP"
    case .unixSocket(let path): "UNIX[\(path)]"
    }
  }

  /// What is sent; nothing when only the connection counts.
  var request: [UInt8] {
    guard let http else { return [] }
    let place =
      switch target {
      case .tcp(let host, let port), .udp(let host, let port): "\(host):\(port)"
      case .unixSocket: "localhost"
      }
    return Array(
      "GET \(http.path) HTTP/1.1\r\nHost: \(http.hostHeader ?? place)\r\nAccept: */*\r\n".utf8)
      + Array("User-Agent: monit/5.2.5\r\nConnection: close\r\n\r\n".utf8)
  }
}

extension ServiceTest.Connection.Turn {
  fileprivate var step: SocketProbe.Step {
    get throws {
      switch self {
      case .send(let bytes): return .send(bytes)
      case .expect(let pattern):
        let expression = try RegularExpression(pattern)
        return .expect { expression.end(in: $0) }
      }
    }
  }
}

extension ServiceTest.Connection.Target {
  fileprivate var probe: SocketProbe.Target {
    switch self {
    case .tcp(let host, let port): .tcp(host: host, port: port)
    case .udp(let host, let port): .udp(host: host, port: port)
    case .unixSocket(let path): .unixSocket(path: path)
    }
  }
}
