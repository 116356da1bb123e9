import Testing

@testable import Messaging

@Suite("NATSLogExcerpt")
struct NATSLogExcerptTests {
  @Test(
    "is what the server complains of, or the last that it said",
    arguments: [
      ("", "it has logged nothing"),
      ("nats-server: error parsing X509 certificate", "nats-server: error parsing X509 certificate"),
      ("[7] 2026/11/30 00:38:57.5 [INF] a\n[7] 2026/11/30 00:38:57.6 [FTL] no [room] left\n", "no [room] left"),
      ("[7] t [ERR] one\n[7] t [INF] between\n[7] t [FTL] two", "one; two"),
      ("1\n2\n3\n4\n5\n6", "2; 3; 4; 5; 6"),
    ])
  func excerpts(log: String, reason: String) {
    #expect(NATSLogExcerpt.reason(in: log) == reason)
  }
}
