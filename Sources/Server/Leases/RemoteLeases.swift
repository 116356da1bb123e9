import Director
import PoolsClient
import PoolsProtocol
import Surroundings

/// Leases of the director from pools elsewhere: another `droverd`, or Boskos itself.
///
/// Boskos does not know the same request again, and cannot list: of an answer that was lost there, nobody knows what it
/// gave until a reaper takes it back.
struct RemoteLeases: ResourceLeases {
  let section: LeasesSection
  let surroundings: Surroundings

  func expiry(of type: String, in state: String) async -> Duration? { section.expiry }

  private func client(_ owner: String) throws -> PoolsClient {
    try PoolsClient(
      url: section.url, owner: owner, username: section.user, passwordFile: section.passwordFile,
      options: .init(pauses: [], timeout: .seconds(10)), surroundings: surroundings)
  }

  func acquire(_ request: LeaseRequest, patience: Duration) async throws -> LeaseAnswer {
    let client = try client(request.owner)
    do {
      let resource = try await client.acquire(
        type: request.type, from: request.state, to: request.heldState, requestID: request.id, isIdempotent: true)
      return .leased(LeasedResource(resource))
    } catch let error as PoolsClientError {
      switch error {
      case .notFound:
        try await surroundings.sleep(patience)
        return .waiting(before: nil)
      case .typeNotFound:
        let known = try? await client.resources().map(\.type)
        throw LeaseFault.typeUnknown(known: Set(known ?? []).sorted())
      case .alreadyInUse, .notLetIn: throw LeaseFault.refused("leases.user or its password is wrong")
      case .refused(403, let text), .refused(400, let text): throw LeaseFault.refused(text)
      default: throw error
      }
    }
  }

  /// The place is lost by itself when nobody asks any more.
  func leaveLine(_ request: LeaseRequest) async throws {}

  func held(by owner: String, type: String) async throws -> [LeasedResource]? {
    do {
      return try await client(owner).resources(type: type).filter { $0.owner == owner }.map {
        // Lists never have user data.
        LeasedResource(type: $0.type, name: $0.name, state: $0.state, userData: nil)
      }
    } catch let error as PoolsClientError {
      switch error {
      case .refused, .notLetIn: return nil
      default: throw error
      }
    }
  }

  func beat(_ resource: LeasedResource, owner: String) async throws {
    try await telling { try await client(owner).update(resource.name, type: resource.type, state: resource.state) }
  }

  func release(_ name: String, type: String, to state: String, owner: String) async throws {
    try await telling { try await client(owner).release(name, type: type, to: state) }
  }

  private func telling(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as PoolsClientError where error.isRefusal {
      throw LeaseFault.notHeld("\(error)")
    }
  }
}
