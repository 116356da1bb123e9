public import Formats

/// How a `NATSConnection` reaches its servers and behaves when they go away.
public struct NATSConfiguration: Sendable {
  /// The servers as one list, each `nats://[user:password@]host[:4222]` (also `tls://`, or `host:port` alone).
  public var urls: [String]
  /// How to speak TLS; nil means plain TCP, which a server that demands TLS refuses.
  public var tls: NATSTLS?
  /// Used for URLs that carry no user of their own.
  public var user: String?
  public var password: Secret?
  /// What the server shows for this connection in its listings.
  public var name: String
  /// The pause before the nth round through the list in a row that found no server (n counts from 1).
  /// By default 2 s × n, at most 10 s (`reference/agent.md 6`). The first attempt after a loss is made at once.
  public var reconnectDelay: @Sendable (Int) -> Duration = { min(.seconds(2) * $0, .seconds(10)) }
  /// After how many rounds in a row to give up; nil means never.
  public var maximumRounds: Int?
  /// For one attempt: TCP, TLS and the server's welcome.
  public var connectTimeout: Duration = .seconds(5)
  /// How often to ask the server whether it is there.
  public var pingInterval: Duration = .seconds(20)
  /// After how many unanswered questions the connection counts as dead.
  public var maximumPingsOut = 2
  /// How many bytes of messages are kept while there is no connection; more is refused with `tooLarge`.
  public var reconnectBufferBytes = 8 << 20
  /// How many bytes a subscription holds unread before the connection stops reading (see `slowConsumerPatience`).
  public var subscriptionBufferBytes = 8 << 20
  /// How long the connection stops reading for a subscription whose buffer is full. Then that subscription's new
  /// messages are dropped, counted and reported as `slowConsumer`, so that it doesn't hold the others up for ever.
  public var slowConsumerPatience: Duration = .seconds(5)

  public init(
    urls: [String], tls: NATSTLS? = nil, user: String? = nil, password: Secret? = nil, name: String = "drover"
  ) {
    self.urls = urls
    self.tls = tls
    self.user = user
    self.password = password
    self.name = name
  }
}

/// TLS with the server, and mutual if a certificate of our own is given.
public struct NATSTLS: Sendable {
  /// What the server's certificate must be made out to, besides being issued by the authority.
  public enum ServerNameRule: Sendable, Hashable {
    /// `^[A-Za-z0-9*-]*\.nats\.bosh-internal$` on the common name or a DNS name (`reference/agent.md 6`).
    case boshNATS
    /// The host name or address of the URL.
    case host
  }

  /// The client's certificate, perhaps followed by intermediates.
  public var certificatePEM: String?
  public var key: Secret?
  /// The authorities that are trusted; nothing else is.
  public var caPEM: String
  public var serverName: ServerNameRule

  public init(certificatePEM: String?, key: Secret?, caPEM: String, serverName: ServerNameRule = .boshNATS) {
    self.certificatePEM = certificatePEM
    self.key = key
    self.caPEM = caPEM
    self.serverName = serverName
  }
}
