/// Sizes and numbers both sides of the bus agree on (reference/agent.md 7, reference/director.md C.8).
public enum AgentLimits {
  /// A reply over NATS may be this long, in bytes.
  public static let maximumReplyBytes = 1_048_576
  /// The protocol version our director sends.
  public static let protocolVersion = 3
  /// `info` answers this.
  public static let apiVersion = 1
  /// Output that an errand's or a compilation's result carries, head and tail together, in bytes of text; what is longer
  /// is read with `read_output`.
  public static let maximumResultOutputBytes = 524_288
  /// `read_output` answers at most this many bytes of both streams together (base64 makes them a third longer).
  public static let maximumReadBytes = 655_360
  /// An answer waits at most this long, in milliseconds.
  public static let maximumWaitMilliseconds = 30_000
  /// An archive of logs may be this long, in bytes, to come with the answer.
  public static let maximumArchiveBytes = 65_536
}
