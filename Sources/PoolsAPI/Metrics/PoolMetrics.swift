import Pools
import PoolsProtocol
import Synchronization

/// What a server of pools counts, and the page that Prometheus reads (reference/boskos.md 13).
final class PoolMetrics: Sendable {
  /// Labels that clients make up are told apart up to so many; what comes later is counted as `other`.
  private static let mostSeries = 500

  private struct State {
    var acquires: [String: Histogram] = [:]
    var durations: [String: Histogram] = [:]
    var sizes: [String: Histogram] = [:]
    var userAgents: Set<String> = []
    var configurationFault: String?
    var configurationLoads = 0
  }

  private let state = Mutex(State())

  private static let acquireBounds: [Double] = [1, 10, 100, 500, 1000, 1500, 2000]
  private static let durationBounds: [Double] = [
    0.005, 0.0078125, 0.015625, 0.03125, 0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1200,
  ]
  private static let sizeBounds: [Double] = (7...16).map { Double(1 << $0) }
  private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

  func acquired(_ request: AcquireRequest, after duration: Duration) {
    state.withLock { state in
      var labels = Self.acquireLabels(request.type, request.state, request.destination, request.requestID != nil)
      if state.acquires[labels] == nil, state.acquires.count >= Self.mostSeries {
        labels = Self.acquireLabels("other", "other", "other", request.requestID != nil)
      }
      state.acquires[labels, default: Histogram(Self.acquireBounds)].add(duration / .seconds(1))
    }
  }

  private static func acquireLabels(_ type: String, _ from: String, _ to: String, _ hasID: Bool) -> String {
    "dest=\"\(escaped(to))\",has_request_id=\"\(hasID)\",state=\"\(escaped(from))\",type=\"\(escaped(type))\""
  }

  func answered(path: String, method: String, status: Int, userAgent: String, duration: Duration, size: Int) {
    let method = Self.methods.contains(method) ? method.lowercased() : "unknown"
    state.withLock { state in
      var agent = String(userAgent.prefix(100))
      if !state.userAgents.contains(agent) {
        if state.userAgents.count < 50 { state.userAgents.insert(agent) } else { agent = "other" }
      }
      let labels =
        "method=\"\(method)\",path=\"\(path)\",status=\"\(status)\",user_agent=\"\(Self.escaped(agent))\""
      state.durations[labels, default: Histogram(Self.durationBounds)].add(duration / .seconds(1))
      state.sizes[labels, default: Histogram(Self.sizeBounds)].add(Double(size))
    }
  }

  /// The configuration was read anew: nil when it is in use, else what is wrong with it.
  func configured(fault: String?) {
    state.withLock { state in
      state.configurationFault = fault
      state.configurationLoads += 1
    }
  }

  var configurationFault: String? { state.withLock { $0.configurationFault } }

  /// The page.
  func text(_ pools: [PoolMetric], _ statistics: PoolStatistics, waiting: Int) -> String {
    var text = Self.head("boskos_resources", "gauge", "Resources by type and state.")
    for pool in pools {
      for (state, count) in Self.states(pool) {
        text += "boskos_resources{state=\"\(state)\",type=\"\(Self.escaped(pool.type))\"} \(count)\n"
      }
    }
    text += Self.head("boskos_released_total", "counter", "Releases by type and by the state that they led to.")
    for (type, states) in statistics.released.sorted(by: { $0.key < $1.key }) {
      for (state, count) in states.sorted(by: { $0.key < $1.key }) {
        text += "boskos_released_total{state=\"\(Self.escaped(state))\",type=\"\(Self.escaped(type))\"} \(count)\n"
      }
    }
    text += Self.head("boskos_leases_lost_total", "counter", "Leases that were taken back from a silent owner.")
    for (type, count) in statistics.lost.sorted(by: { $0.key < $1.key }) {
      text += "boskos_leases_lost_total{type=\"\(Self.escaped(type))\"} \(count)\n"
    }
    text += Self.head("boskos_waiting_requests", "gauge", "Requests that wait in line.")
    text += "boskos_waiting_requests \(waiting)\n"
    return text + state.withLock { Self.ownText($0) }
  }

  private static func ownText(_ state: State) -> String {
    var text = head(
      "boskos_configuration_faulty", "gauge", "1 when the latest configuration is not in use, since it has faults.")
    text += "boskos_configuration_faulty \(state.configurationFault == nil ? 0 : 1)\n"
    let families = [
      ("boskos_acquire_duration_seconds", "How long it took to get a resource.", state.acquires),
      ("boskos_http_request_duration_seconds", "How long requests took.", state.durations),
      ("boskos_http_response_size_bytes", "The size of answers.", state.sizes),
    ]
    for (name, help, histograms) in families {
      text += head(name, "histogram", help)
      for (labels, histogram) in histograms.sorted(by: { $0.key < $1.key }) { text += histogram.lines(name, labels) }
    }
    return text
  }

  /// All states that are known, also when nothing is in them; the others together.
  static func states(_ pool: PoolMetric) -> [(String, Int)] {
    var states = ResourceState.known.map { ($0, pool.current[$0] ?? 0) }
    let other = pool.current.filter { !ResourceState.known.contains($0.key) }.reduce(0) { $0 + $1.value }
    if other > 0 { states.append(("other", other)) }
    return states
  }

  private static func head(_ name: String, _ kind: String, _ help: String) -> String {
    "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
  }

  static func escaped(_ label: String) -> String {
    var text = ""
    for character in label.unicodeScalars {
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
