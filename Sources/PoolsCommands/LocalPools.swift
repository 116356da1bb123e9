import Formats
public import Pools
public import PoolsClient
public import PoolsProtocol
public import Surroundings

/// The pools of this very process, for services that run inside the server.
public struct LocalPools: PoolsAccess {
  public let owner: String
  public let surroundings: Surroundings
  private let keeper: PoolKeeper

  public init(_ keeper: PoolKeeper, owner: String, surroundings: Surroundings) {
    self.keeper = keeper
    self.owner = owner
    self.surroundings = surroundings
  }

  public func acquire(
    type: String, from state: String, to destination: String, requestID: String?, isIdempotent: Bool
  ) async throws -> PooledResource {
    do {
      return try await keeper.acquire(request(type, state, destination, requestID, isIdempotent)).resource
    } catch {
      throw Self.leasing(error)
    }
  }

  private func request(
    _ type: String, _ state: String, _ destination: String, _ requestID: String?, _ isIdempotent: Bool
  ) -> AcquireRequest {
    AcquireRequest(
      type: type, state: state, destination: destination, owner: owner, requestID: requestID,
      isIdempotent: isIdempotent)
  }

  public func acquireWaiting(
    type: String, from state: String, to destination: String, requestID: String?, timeout: Duration?
  ) async throws -> PooledResource {
    let request = request(type, state, destination, requestID, requestID != nil)
    let begin = surroundings.elapsed()
    while true {
      let rest = timeout.map { $0 - (surroundings.elapsed() - begin) } ?? .seconds(1 << 30)
      do {
        return try await keeper.acquire(request, wait: rest).resource
      } catch {
        try Task.checkCancellation()
        let fault = Self.leasing(error)
        guard [.notFound, .typeNotFound].contains(fault) else { throw fault }
        if let timeout, surroundings.elapsed() - begin >= timeout { throw PoolsClientError.notFound }
        // A type may come with the next configuration.
        if fault == .typeNotFound { try await surroundings.sleep(min(max(rest, .zero), .seconds(3))) }
      }
    }
  }

  public func acquire(
    names: [String], type: String?, from state: String, to destination: String
  ) async throws -> [PooledResource] {
    do {
      return try await keeper.acquire(
        names: Set(names), type: type, state: state, destination: destination, owner: owner)
    } catch {
      throw Self.leasing(error)
    }
  }

  public func release(_ name: String, type: String?, to destination: String) async throws {
    do {
      try await keeper.release(name, type: type, destination: destination, owner: owner)
    } catch {
      throw Self.refusal(error)
    }
  }

  public func update(_ name: String, type: String?, state: String, userData: [String: String]?) async throws {
    do {
      try await keeper.update(name, type: type, owner: owner, state: state, userData: userData)
    } catch {
      throw Self.refusal(error)
    }
  }

  public func reset(
    type: String, state: String, expiry: Duration, to destination: String
  ) async throws -> [String: String] {
    do {
      return try await keeper.reset(type: type, state: state, expiry: expiry, destination: destination)
    } catch {
      throw Self.refusal(error)
    }
  }

  public func metric(_ type: String) async throws -> PoolMetric {
    do { return try await keeper.metric(type) } catch { throw Self.refusal(error) }
  }

  public func report(_ report: WorkReport) async throws -> Int? {
    do {
      return try await keeper.record(
        .init(
          kind: report.kind.rawValue, succeeded: report.succeeded, ending: report.ending, duration: report.duration,
          log: report.log, run: report.run), of: report.name, type: report.type, owner: owner)
    } catch {
      throw Self.refusal(error)
    }
  }

  /// What the server says, as a client hears it.
  private static func leasing(_ fault: PoolFault) -> PoolsClientError {
    switch fault {
    case .nothingAvailable: .notFound
    case .typeUnknown: .typeNotFound
    default: refusal(fault)
    }
  }

  private static func refusal(_ fault: PoolFault) -> PoolsClientError {
    .refused(status: fault.status, fault.description)
  }
}
