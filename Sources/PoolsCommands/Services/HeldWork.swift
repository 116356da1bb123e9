import Logging
import Pools
import PoolsClient
import PoolsProtocol
import Surroundings
import Synchronization

/// What is held, while it becomes more.
final class Held: Sendable {
  private let resources: Mutex<[PooledResource]>
  init(_ resources: [PooledResource]) { self.resources = Mutex(resources) }
  var all: [PooledResource] { resources.withLock { $0 } }
  func add(_ resource: PooledResource) { resources.withLock { $0.append(resource) } }
}

/// What janitors and masons have in common: work on what they hold. The server hears of it again and again while it
/// lasts, the work ends when something of it is lost, how it ended is told, and all is handed back at its end, whatever
/// that is.
struct HeldWork: Sendable {
  let access: any PoolsAccess
  let worker: any PoolWorker
  let logger: Logger
  private let failures = Failures()

  init(access: any PoolsAccess, worker: any PoolWorker, logger: Logger) {
    self.access = access
    self.worker = worker
    self.logger = logger
  }

  /// Work during which the server is told again and again what is held. It is cancelled when something of that is lost.
  ///
  /// - Throws: what the work throws; ``PoolsClientError/leaseLost(name:_:)`` when something was lost.
  func beating<Result: Sendable>(
    _ held: Held, every interval: Duration, _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while !Task.isCancelled {
          do { try await access.surroundings.sleep(interval) } catch { return nil }
          for one in held.all { try await beat(one) }
        }
        return nil
      }
      defer { group.cancelAll() }
      while let result = try await group.next() { if let result { return result } }
      throw CancellationError()
    }
  }

  /// A server that cannot be reached ends nothing: only its word does.
  private func beat(_ resource: PooledResource) async throws {
    do {
      try await access.update(resource)
    } catch let error as PoolsClientError {
      if error.isRefusal { throw PoolsClientError.leaseLost(name: resource.name, "\(error)") }
      logger.warning("a heartbeat failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
  }

  /// Has work done, and tells how it ended.
  ///
  /// - Returns: nil when it was cancelled, for then it has not ended by itself.
  func perform(_ work: PoolWork) async -> PoolWorkResult? {
    let begin = access.surroundings.elapsed()
    let result: PoolWorkResult
    do {
      result = try await worker.perform(work)
    } catch {
      if Task.isCancelled { return nil }
      result = PoolWorkResult(succeeded: false, ending: "\(error)", log: "")
    }
    let (kind, name): (WorkReport.Kind, String) =
      switch work.kind {
      case .clean: (.clean, "cleaning")
      case .build: (.build, "building")
      }
    let report = WorkReport(
      name: work.resource.name, type: work.resource.type, kind: kind, succeeded: result.succeeded,
      ending: result.ending, duration: access.surroundings.elapsed() - begin, log: result.log)
    let told: Int?
    do {
      told = try await access.report(report)
    } catch {
      told = nil
      logger.debug("telling how it ended failed", metadata: ["name": "\(report.name)", "error": "\(error)"])
    }
    failures.count(work.resource, failed: !result.succeeded, told: told)
    if result.succeeded {
      logger.info("\(name) succeeded", metadata: ["type": "\(report.type)", "name": "\(report.name)"])
    } else {
      logger.error(
        "\(name) failed",
        metadata: [
          // What it said may hold secrets, and is with the resource.
          "type": "\(report.type)", "name": "\(report.name)", "ending": "\(result.ending)",
        ])
    }
    return result
  }

  /// Where to a resource goes whose work has failed: dirty, or aside when it failed too often.
  func destination(afterFailure resource: PooledResource, _ program: ServiceProgram) -> String {
    let count = failures[resource]
    guard let limit = program.quarantineAfter, count >= limit else { return ResourceState.dirty }
    failures.forget(resource)
    logger.error(
      "put aside: it failed too often",
      metadata: ["type": "\(resource.type)", "name": "\(resource.name)", "times": "\(count)"])
    return program.quarantineState ?? "quarantine"
  }

  /// Hands back, also when this task is cancelled: in a task of its own. What goes wrong is only said.
  func handBack(_ destinations: [(PooledResource, String)]) async {
    await access.surroundings.task {
      for (resource, state) in destinations {
        do {
          try await access.release(resource, to: state)
        } catch {
          logger.error("handing back failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
        }
      }
    }.value
  }
}

/// How often work on resources has failed, one time after the other.
private final class Failures: Sendable {
  /// More are not remembered.
  private static let most = 100_000
  private let counts = Mutex([String: Int]())

  private static func key(_ resource: PooledResource) -> String { "\(resource.name)/\(resource.type)" }

  subscript(resource: PooledResource) -> Int { counts.withLock { $0[Self.key(resource)] ?? 0 } }

  /// - Parameter told: what the server has counted.
  func count(_ resource: PooledResource, failed: Bool, told: Int?) {
    let key = Self.key(resource)
    counts.withLock { counts in
      guard failed else {
        counts[key] = nil
        return
      }
      if counts.count > Self.most { counts = [:] }
      counts[key] = max((counts[key] ?? 0) + 1, told ?? 0)
    }
  }

  func forget(_ resource: PooledResource) { counts.withLock { $0[Self.key(resource)] = nil } }
}
