public import Logging
public import PoolsClient
public import PoolsProtocol
public import Surroundings

/// Takes back what nobody has said a word about for long, so that it is cleaned (reference/boskos.md 8).
public struct Reaper: Sendable {
  private let client: PoolsClient
  private let types: TypeSource
  private let states: [String]
  private let expiry: Duration
  private let target: String
  private let surroundings: Surroundings
  private let logger: Logger

  /// - Parameter extraStates: from which it takes back besides busy, cleaning and leased.
  public init(
    client: PoolsClient, types: TypeSource, expiry: Duration = .seconds(1800), target: String = ResourceState.dirty,
    extraStates: [String] = [], surroundings: Surroundings, logger: Logger
  ) {
    self.client = client
    self.types = types
    self.expiry = expiry
    self.target = target
    states = [ResourceState.busy, ResourceState.cleaning, ResourceState.leased] + extraStates
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Once a minute, until the task is cancelled.
  public func run() async {
    while true {
      do { try await surroundings.sleep(.seconds(60)) } catch { return }
      await pass()
    }
  }

  /// Each type, each state, one after the other; what goes wrong with one is no matter of the next.
  public func pass() async {
    for type in types.types(logger) {
      for state in states {
        do {
          let lost = try await client.reset(type: type, state: state, expiry: expiry, to: target)
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
}
