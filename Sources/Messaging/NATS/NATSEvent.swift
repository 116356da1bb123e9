public import Formats

/// What happens to a connection, for logs and for those who must act on it.
public enum NATSEvent: Sendable {
  /// The server's welcome is complete; subscriptions are in place again.
  case connected(server: String)
  /// The connection was lost, or an attempt failed.
  case disconnected(server: String, reason: DroverError)
  /// The next round begins after the pause.
  case reconnecting(attempt: Int, after: Duration)
  /// For good: `close`, `drain`, or the rounds are used up (then with the reason).
  case closed(reason: DroverError?)
  /// The server refused a publish or a subscription.
  case permissionError(operation: Operation, subject: String)
  /// A subscription's messages were not read in time and this many have been dropped since it was last reported.
  case slowConsumer(subject: String, dropped: Int)
  /// The server said something else was wrong.
  case serverError(String)

  public enum Operation: String, Sendable, Hashable {
    case publish
    case subscription
  }
}
