public import Pools
import PoolsProtocol
public import Surroundings

/// In whose names a service inside the server leases what lasting work is done to: a name for each piece of work, so that
/// one lease is told from the next, also after a restart.
public struct LocalHolders: Sendable {
  /// All names begin so.
  public let prefix: String
  private let keeper: PoolKeeper
  private let surroundings: Surroundings

  /// - Parameter service: what the names begin with, `janitor-errand`.
  public init(_ keeper: PoolKeeper, service: String, surroundings: Surroundings) {
    self.keeper = keeper
    self.surroundings = surroundings
    prefix = service + "/"
  }

  /// The pools, for a new piece of work.
  func next() -> LocalPools { named(prefix + surroundings.identifier()) }

  /// The pools, for a piece of work that was begun before.
  func named(_ owner: String) -> LocalPools { LocalPools(keeper, owner: owner, surroundings: surroundings) }

  /// What is held now, by whom: at the start, what an earlier server has left.
  func held() async -> [String: [PooledResource]] { await keeper.held(byOwners: prefix) }
}
