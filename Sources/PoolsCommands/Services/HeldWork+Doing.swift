import Logging
import Pools
import PoolsClient
import PoolsProtocol
import Surroundings

/// Work on what is held, while it is held.
extension HeldWork {
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
      if let loss = error.loss(of: resource) { throw loss }
      logger.warning("a heartbeat failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
  }

  /// Has work done, and tells how it ended.
  ///
  /// - Parameter take: takes what came of it, when it succeeded; what cannot be taken has failed.
  /// - Returns: nil when it was cancelled, for then it has not ended by itself, and when it could not be begun.
  func perform(
    _ work: PoolWork, taking take: (PoolWorkResult) async throws -> Void = { _ in }
  ) async -> PoolWorkResult? {
    let begin = access.surroundings.elapsed()
    var result: PoolWorkResult
    do {
      result = try await worker.perform(work)
    } catch {
      if Task.isCancelled { return nil }
      if let obstacle = error as? PoolWorkObstacle {
        if let lasting { await note("\(obstacle)", work.resource.type, lasting) }
        return nil
      }
      result = PoolWorkResult(succeeded: false, ending: "\(error)", log: "")
    }
    if result.succeeded {
      do {
        try await take(result)
      } catch {
        if Task.isCancelled { return nil }
        result.succeeded = false
        result.ending = "what it made cannot be kept: \(error)"
      }
    }
    let (kind, name): (WorkReport.Kind, String) =
      switch work.kind {
      case .clean: (.clean, "cleaning")
      case .build: (.build, "building")
      }
    let report = WorkReport(
      name: work.resource.name, type: work.resource.type, kind: kind, succeeded: result.succeeded,
      ending: result.ending, duration: access.surroundings.elapsed() - begin, log: result.log,
      run: lasting == nil ? "" : work.lease)
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
}
