import Director
import Pools
import PoolsProtocol

/// Leases of the director from the pools of the same server.
struct KeeperLeases: ResourceLeases {
  let keeper: PoolKeeper
  /// After how much silence the server takes leases back of types whose configuration does not say it; nil for never.
  let expiry: Duration?

  func expiry(of type: String, in state: String) async -> Duration? {
    let reaping = await keeper.configuration.policies[type]?.reaping ?? ReapingPolicy(usual: expiry)
    return reaping.expiry(state)
  }

  func acquire(_ request: LeaseRequest, patience: Duration) async throws -> LeaseAnswer {
    let asked = AcquireRequest(
      type: request.type, state: request.state, destination: request.heldState, owner: request.owner,
      requestID: request.id, isIdempotent: true)
    do {
      return .leased(LeasedResource(try await keeper.acquire(asked, wait: patience).resource))
    } catch PoolFault.nothingAvailable {
      return .waiting(before: await keeper.place(of: request.id, type: request.type, state: request.state))
    } catch PoolFault.typeUnknown {
      throw await typeUnknown()
    }
  }

  func leaveLine(_ request: LeaseRequest) async throws {
    try await keeper.leaveLine(request.id, type: request.type, state: request.state)
  }

  func held(by owner: String, type: String) async throws -> [LeasedResource]? {
    await keeper.resources(type: type, state: nil, owner: owner, limit: .max).map { LeasedResource($0) }
  }

  func beat(_ resource: LeasedResource, owner: String) async throws {
    try await telling {
      try await keeper.update(
        resource.name, type: resource.type, owner: owner, state: resource.state, userData: nil)
    }
  }

  func release(_ name: String, type: String, to state: String, owner: String) async throws {
    try await telling { try await keeper.release(name, type: type, destination: state, owner: owner) }
  }

  private func telling(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let fault as PoolFault {
      switch fault {
      case .nothingAvailable(let name): throw LeaseFault.notHeld("there is no resource '\(name)' any more")
      case .ownerDiffers, .stateDiffers: throw LeaseFault.notHeld(fault.description)
      case .typeUnknown, .ambiguous, .tooLarge, .storage: throw fault
      }
    }
  }

  private func typeUnknown() async -> LeaseFault { .typeUnknown(known: await keeper.metrics().map(\.type)) }
}

extension LeasedResource {
  init(_ resource: PooledResource) {
    self.init(type: resource.type, name: resource.name, state: resource.state, userData: resource.userData)
  }
}
