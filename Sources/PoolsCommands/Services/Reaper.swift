public import Logging
import Pools
public import PoolsClient
public import PoolsProtocol
import Surroundings

/// Takes back what nobody has said a word about for long, so that it is cleaned (reference/boskos.md 8).
public struct Reaper: Sendable {
  private let access: any PoolsAccess
  private let types: TypeSource
  private let usual: ReapingPolicy
  private let target: String
  private let logger: Logger

  /// - Parameters:
  ///   - expiry: for types whose configuration does not say it.
  ///   - extraStates: from which it takes back besides busy, cleaning and leased.
  public init(
    _ access: any PoolsAccess, types: TypeSource, expiry: Duration = .seconds(1800),
    target: String = ResourceState.dirty, extraStates: [String] = [], logger: Logger
  ) {
    self.access = access
    self.types = types
    self.target = target
    usual = ReapingPolicy(
      usual: expiry, states: Dictionary(extraStates.map { ($0, expiry) }, uniquingKeysWith: { $1 }))
    self.logger = logger
  }

  /// Once a minute, until the task is cancelled.
  public func run() async {
    while true {
      do { try await access.surroundings.sleep(.seconds(60)) } catch { return }
      await pass()
    }
  }

  /// Each type, each state, one after the other; what goes wrong with one is no matter of the next.
  public func pass() async {
    let configuration = await types.configuration(logger)
    let policies = configuration.policies
    for type in types.types(of: configuration) {
      let own = policies[type]?.reaping
      for (state, expiry) in await states(type, own ?? usual) {
        do {
          let lost = try await access.reset(type: type, state: state, expiry: expiry, to: target)
          for (name, owner) in lost.sorted(by: { $0.key < $1.key }) {
            logger.notice(
              "taken back", metadata: ["type": "\(type)", "name": "\(name)", "owner": "\(owner)", "state": "\(state)"])
          }
        } catch {
          logger.error(
            "taking back failed", metadata: ["type": "\(type)", "state": "\(state)", "error": "\(error)"])
        }
      }
    }
  }

  /// Which states of a type to take back from. Which others there are is asked only when that matters.
  private func states(_ type: String, _ policy: ReapingPolicy) async -> [(state: String, expiry: Duration)] {
    let named =
      ReapingPolicy.usualStates + policy.states.keys.filter { !ReapingPolicy.usualStates.contains($0) }.sorted()
    var found = named.compactMap { state in policy.expiry(state).map { (state: state, expiry: $0) } }
    guard policy.others != nil else { return found }
    do {
      let present = try await access.metric(type).current.keys.filter { !named.contains($0) }
      found += policy.states(among: present)
    } catch {
      logger.error("looking at its states failed", metadata: ["type": "\(type)", "error": "\(error)"])
    }
    return found
  }
}
