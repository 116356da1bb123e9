import Director
import Logging
import Pools
import PoolsCommands
import PoolsProtocol
import Surroundings

/// What an ``ErrandWorker`` wants of a director.
protocol PoolErrandRunner: Sendable {
  func obstacle(toErrand errand: String, in deployment: String) async -> String?
  func perform(_ work: PoolErrand) async throws -> PoolErrandOutcome
  func poolErrandLeases(prefix: String) async throws -> Set<String>
  func forgetPoolErrand(_ lease: String) async throws
  func abandonPoolErrand(_ lease: String) async throws
}

extension Director: PoolErrandRunner {}

/// Has work on resources of pools done by errands of deployments: they run on, whatever becomes of this server, and are
/// found again by the lease that they work for.
struct ErrandWorker: LastingWorker {
  let runner: any PoolErrandRunner
  let keeper: PoolKeeper
  let surroundings: Surroundings
  let logger: Logger

  func serves(_ program: ServiceProgram) -> Bool { program.errand != nil }

  func obstacle(to program: ServiceProgram) async -> String? {
    guard let errand = program.errand else { return nil }
    return await runner.obstacle(toErrand: errand.errand, in: errand.deployment)
  }

  func tell(obstacle: String?, type: String) async { await keeper.noteErrand(type: type, obstacle: obstacle) }

  func perform(_ work: PoolWork) async throws -> PoolWorkResult {
    let errand = try PoolErrand(work)
    do {
      let outcome = try await persistently("running an errand", work.lease) { try await runner.perform(errand) }
      return PoolWorkResult(
        succeeded: outcome.succeeded, ending: outcome.ending, answer: outcome.answer ?? [], log: outcome.output)
    } catch let obstacle as PoolErrandObstacle {
      throw PoolWorkObstacle("\(obstacle)")
    }
  }

  func hasBegun(_ lease: String) async throws -> Bool {
    try await persistently("looking for the run of an errand", lease) {
      try await runner.poolErrandLeases(prefix: lease).contains(lease)
    }
  }

  func forget(_ lease: String) async {
    _ = try? await persistently("forgetting the run of an errand", lease) { try await runner.forgetPoolErrand(lease) }
  }

  func abandon(_ lease: String) async {
    _ = try? await persistently("ending the run of an errand", lease) { try await runner.abandonPoolErrand(lease) }
  }

  func leases(prefix: String) async -> Set<String> {
    let leases = try? await persistently("looking for runs of errands", prefix) {
      try await runner.poolErrandLeases(prefix: prefix)
    }
    return leases ?? []
  }

  /// Does it again and again until it succeeds: what a full disk keeps from being stored is stored when it has room again,
  /// and meanwhile the run goes on, and what it works on is held.
  ///
  /// - Throws: ``PoolErrandObstacle`` and `CancellationError`.
  private func persistently<Result: Sendable>(
    _ purpose: String, _ lease: String, _ body: () async throws -> Result
  ) async throws -> Result {
    while true {
      do {
        return try await body()
      } catch let error where error is PoolErrandObstacle || error is CancellationError {
        throw error
      } catch {
        try Task.checkCancellation()
        logger.error(
          "work on a resource waits for the director's store",
          metadata: ["doing": "\(purpose)", "lease": "\(lease)", "error": "\(error)"])
        try await surroundings.sleep(.seconds(5))
      }
    }
  }
}
