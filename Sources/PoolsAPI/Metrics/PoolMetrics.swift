import Pools
import PoolsProtocol
import Synchronization

/// What a server of pools counts, and the page that Prometheus reads (reference/boskos.md 13).
final class PoolMetrics: Sendable {
  /// Labels that clients make up are told apart up to so many; what comes later is counted as `other`.
  private static let mostSeries = 500

  private struct Acquiring: Hashable {
    var type: String
    var from: String
    var to: String
    var hasID: Bool

    var labels: String {
      "dest=\"\(escaped(to))\",has_request_id=\"\(hasID)\",state=\"\(escaped(from))\",type=\"\(escaped(type))\""
    }
  }

  private struct Answering: Hashable {
    var path: String
    var method: String
    var status: Int
    var agent: String

    var labels: String {
      "method=\"\(method)\",path=\"\(path)\",status=\"\(status)\",user_agent=\"\(escaped(agent))\""
    }
  }

  private struct Answers {
    var durations = Histogram(durationBounds)
    var sizes = Histogram(sizeBounds)

    mutating func add(_ duration: Double, _ size: Int) {
      durations.add(duration)
      sizes.add(Double(size))
    }
  }

  private struct State {
    var acquires: [Acquiring: Histogram] = [:]
    var answers: [Answering: Answers] = [:]
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
  private static let methods = [
    "GET": "get", "HEAD": "head", "POST": "post", "PUT": "put", "PATCH": "patch", "DELETE": "delete",
    "OPTIONS": "options",
  ]

  func acquired(_ request: AcquireRequest, after duration: Duration) {
    var key = Acquiring(
      type: request.type, from: request.state, to: request.destination, hasID: request.requestID != nil)
    state.withLock { state in
      if state.acquires[key] == nil, state.acquires.count >= Self.mostSeries {
        key = Acquiring(type: "other", from: "other", to: "other", hasID: key.hasID)
      }
      state.acquires[key, default: Histogram(Self.acquireBounds)].add(duration / .seconds(1))
    }
  }

  func answered(path: String, method: String, status: Int, userAgent: String, duration: Duration, size: Int) {
    var key = Answering(
      path: path, method: Self.methods[method] ?? "unknown", status: status,
      agent: userAgent.utf8.count <= 100 ? userAgent : String(userAgent.prefix(100)))
    state.withLock { state in
      if !state.userAgents.contains(key.agent) {
        if state.userAgents.count < 50 { state.userAgents.insert(key.agent) } else { key.agent = "other" }
      }
      state.answers[key, default: Answers()].add(duration / .seconds(1), size)
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
  func text(_ pools: [PoolMetric], _ statistics: PoolStatistics, waiting: Int, _ told: Told = Told()) -> String {
    var text = PoolMetric.gauge(pools)
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
    text += Self.toldText(told)
    return text + state.withLock { Self.ownText($0) }
  }

  /// What people should know of: alerts of types that have some, and how often which event has happened.
  struct Told: Sendable {
    var alerts: [PoolAlertState] = []
    var events: [PoolEvent.Kind: Int] = [:]
  }

  private static func toldText(_ told: Told) -> String {
    var text = ""
    let gauges: [(String, String, (PoolAlertState) -> Bool?)] = [
      ("boskos_pool_low", "1 when fewer resources are free than alert-below wants.", \.isLow),
      ("boskos_pool_waiting_long", "1 when somebody waits longer than alert-waiting.", \.isWaiting),
    ]
    for (name, help, value) in gauges {
      let lines = told.alerts.compactMap { alert in
        value(alert).map { "\(name){type=\"\(escaped(alert.type))\"} \($0 ? 1 : 0)\n" }
      }
      if !lines.isEmpty { text += head(name, "gauge", help) + lines.joined() }
    }
    text += head("boskos_events_total", "counter", "Events, as /events lists them.")
    for kind in PoolEvent.Kind.allCases {
      text += "boskos_events_total{event=\"\(kind.rawValue)\"} \(told.events[kind] ?? 0)\n"
    }
    return text
  }

  private static func ownText(_ state: State) -> String {
    var text = head(
      "boskos_configuration_faulty", "gauge", "1 when the latest configuration is not in use, since it has faults.")
    text += "boskos_configuration_faulty \(state.configurationFault == nil ? 0 : 1)\n"
    let families = [
      (
        "boskos_acquire_duration_seconds", "How long it took to get a resource.",
        state.acquires.map { ($0.key.labels, $0.value) }
      ),
      (
        "boskos_http_request_duration_seconds", "How long requests took.",
        state.answers.map { ($0.key.labels, $0.value.durations) }
      ),
      (
        "boskos_http_response_size_bytes", "The size of answers.", state.answers.map { ($0.key.labels, $0.value.sizes) }
      ),
    ]
    for (name, help, histograms) in families {
      text += head(name, "histogram", help)
      for (labels, histogram) in histograms.sorted(by: { $0.0 < $1.0 }) { text += histogram.lines(name, labels) }
    }
    return text
  }

  private static func head(_ name: String, _ kind: String, _ help: String) -> String {
    "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
  }

  static func escaped(_ label: String) -> String { PoolMetric.escaped(label: label) }
}
