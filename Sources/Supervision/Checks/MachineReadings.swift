import Files
import Glibc
import Processes
import Surroundings

/// What the services of a machine look at together, so that fifty services read /proc once a cycle and not fifty times.
actor MachineReadings {
  private let surroundings: Surroundings
  private var snapshot: (table: ProcessTable, taken: Duration)?
  private var lastTimes: SystemTimes?
  private var cpu: (readings: ResourceReadings, taken: Duration)?

  init(surroundings: Surroundings) { self.surroundings = surroundings }

  /// All processes; not older than a second.
  func table() -> ProcessTable {
    let now = surroundings.elapsed()
    if let snapshot, now - snapshot.taken < .seconds(1) { return snapshot.table }
    let table = ProcessTable.snapshot()
    snapshot = (table, now)
    return table
  }

  /// The load averages.
  func loads() -> ResourceReadings {
    var readings = ResourceReadings()
    let loads = (Files.textIfPresent("/proc/loadavg") ?? "").split(separator: " ").prefix(3).map { Double($0) }
    for (resource, load) in zip([ServiceTest.Resource.load1, .load5, .load15], loads) {
      readings.amounts[resource] = .init(value: load)
    }
    return readings
  }

  /// Everything about the machine itself.
  func all() -> ResourceReadings {
    var readings = loads()
    let memory = SystemMemory.read()
    readings.amounts[.memory] = .init(
      value: memory.map { Double($0.used) * 1024 }, percent: memory.map { $0.percent($0.used, of: $0.total) })
    readings.amounts[.swap] = .init(
      value: memory.map { Double($0.swapUsed) * 1024 }, percent: memory.map { $0.percent($0.swapUsed, of: $0.swap) })
    let now = surroundings.elapsed()
    if cpu.map({ now - $0.taken >= .seconds(1) }) ?? true, let times = SystemTimes.read() {
      cpu = (lastTimes.map(times.shares) ?? ResourceReadings(), now)
      lastTimes = times
    }
    readings.amounts.merge(cpu?.readings.amounts ?? [:]) { _, new in new }
    return readings
  }
}

/// The first line of /proc/stat, in clock ticks.
struct SystemTimes: Sendable, Hashable {
  let user: Double
  let system: Double
  let wait: Double
  let all: Double

  static func read() -> SystemTimes? { parse(Files.textIfPresent("/proc/stat") ?? "") }

  static func parse(_ text: String) -> SystemTimes? {
    guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
    let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard fields.count >= 7 else { return nil }
    return SystemTimes(
      user: fields[0] + fields[1], system: fields[2] + fields[5] + fields[6], wait: fields[4],
      all: fields.prefix(8).reduce(0, +))
  }

  /// In percent of the time since an earlier reading.
  func shares(since earlier: SystemTimes) -> ResourceReadings {
    var readings = ResourceReadings()
    let span = all - earlier.all
    guard span > 0 else { return readings }
    readings.amounts[.userCPU] = .init(percent: 100 * (user - earlier.user) / span)
    readings.amounts[.systemCPU] = .init(percent: 100 * (system - earlier.system) / span)
    readings.amounts[.waitCPU] = .init(percent: 100 * (wait - earlier.wait) / span)
    return readings
  }
}

/// The machine's memory and CPUs.
struct SystemMemory: Sendable, Hashable {
  /// In KiB.
  let total: Int
  let used: Int
  let swap: Int
  let swapUsed: Int

  static func read() -> SystemMemory? { parse(Files.textIfPresent("/proc/meminfo") ?? "") }

  static func parse(_ text: String) -> SystemMemory? {
    var values: [Substring: Int] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 1 { values[fields[0]] = Int(fields[1]) }
    }
    guard let total = values["MemTotal:"] else { return nil }
    let available =
      values["MemAvailable:"]
      ?? (values["MemFree:"] ?? 0) + (values["Buffers:"] ?? 0) + (values["Cached:"] ?? 0)
    let swap = values["SwapTotal:"] ?? 0
    return SystemMemory(
      total: total, used: max(0, total - available), swap: swap, swapUsed: max(0, swap - (values["SwapFree:"] ?? 0)))
  }

  func percent(_ part: Int, of whole: Int) -> Double { whole > 0 ? 100 * Double(part) / Double(whole) : 0 }

  static func totalKilobytes() -> Int { read()?.total ?? 0 }
  static func processors() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
