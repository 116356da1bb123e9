import Formats
import HTTPService
public import Logging
public import PoolsClient
import PoolsProtocol
import Surroundings
import Synchronization

/// Shows the metrics of pools to Prometheus, and as JSON (reference/boskos.md 13): for servers that do not do it
/// themselves, or that cannot be reached by those who look.
public struct MetricsExporter: Sendable {
  private let access: any PoolsAccess
  private let types: TypeSource
  private let states: [String]
  private let interval: Duration
  private let logger: Logger
  private let latest = Latest()

  private final class Latest: Sendable {
    let metrics = Mutex([String: PoolMetric]())
  }

  /// - Parameter states: those that are told apart; nil is those that mean something.
  public init(
    _ access: any PoolsAccess, types: TypeSource, states: [String]? = nil, interval: Duration = .seconds(30),
    logger: Logger
  ) {
    self.access = access
    self.types = types
    self.states = states ?? ResourceState.known
    self.interval = interval
    self.logger = logger
  }

  /// Looks again and again, and answers on both ports, until the task is cancelled.
  ///
  /// - Parameters:
  ///   - port: where `/?type=T` answers with a type's metric.
  ///   - metricsPort: where `/metrics` is.
  /// - Throws: when it cannot listen.
  public func run(address: String, port: Int, metricsPort: Int) async throws {
    let proxy = try HTTPService(.init(address: address, port: port))
    let page = try HTTPService(.init(address: address, port: metricsPort))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await poll() }
      group.addTask {
        try await proxy.run { request, _ in
          await self.proxied(request)
        } onReady: { _ in
        }
      }
      group.addTask {
        try await page.run { request, _ in
          self.page(request)
        } onReady: { _ in
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func poll() async {
    while !Task.isCancelled {
      await pass()
      do { try await access.surroundings.sleep(interval) } catch { return }
    }
  }

  /// Looks at every type once. A type that cannot be looked at keeps what was seen last.
  public func pass() async {
    let types = await types.types(logger)
    for type in types {
      do {
        let metric = try await access.metric(type)
        latest.metrics.withLock { $0[type] = metric }
      } catch {
        logger.warning("looking at a type failed", metadata: ["type": "\(type)", "error": "\(error)"])
      }
    }
    latest.metrics.withLock { metrics in metrics = metrics.filter { types.contains($0.key) } }
  }

  /// What Prometheus reads.
  public var text: String {
    let metrics = latest.metrics.withLock { $0 }
    return PoolMetric.gauge(metrics.sorted { $0.key < $1.key }.map(\.value), known: states)
  }

  func page(_ request: HTTPRequest) -> HTTPReply {
    guard request.path == "/metrics" else { return .text(404, "404 page not found\n") }
    return HTTPReply(200, Array(text.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
  }

  func proxied(_ request: HTTPRequest) async -> HTTPReply {
    guard request.method == "GET" else { return .text(405, "only accepts GET request\n") }
    let parts = request.target.split(separator: "?", maxSplits: 1)
    guard parts.count == 2, let type = PoolQuery(String(parts[1])).given("type") else {
      return .text(400, "type must be set in the request.\n")
    }
    do {
      return HTTPReply(200, try await access.metric(type).json, type: "application/json")
    } catch {
      return .text(404, "\(error)\n")
    }
  }
}
