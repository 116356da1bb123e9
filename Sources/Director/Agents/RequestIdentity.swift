import Crypto
import Surroundings

/// What makes a request to an agent the same request when it is sent again (design D7).
///
/// It is derived, not drawn: a server that was killed and takes its task up again asks with the same identity, and the
/// agent answers with the task that it already has, instead of running a script twice.
public struct RequestIdentity: Sendable, Hashable {
  /// The last part of the request's `reply_to`.
  public let text: String

  /// - Parameters:
  ///   - task: the director's task.
  ///   - agent: the agent's id: a new VM is asked anew.
  ///   - step: what is asked, unique within the task and agent: `pre-start`, `compile redis/1f2e…`.
  public init(task: Int, agent: String, step: String) {
    let digest = SHA256.hash(data: Array("\(task)\u{0}\(agent)\u{0}\(step)".utf8))
    text = Surroundings.uuidText(Array(digest.prefix(16)))
  }

  /// An identity that nobody will ask with again, for requests that may be repeated harmlessly.
  public init(unique text: String) { self.text = text }

  /// The identity as a UUID, for things that are named by one.
  var uuid: String { text }
}
