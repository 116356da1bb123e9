/// What a NATS server says in its log of why it does not go on.
enum NATSLogExcerpt {
  /// Its complaints, without process id and time, and what to do about those that are known; the last of all lines when it
  /// has none.
  ///
  /// A line is `[5560] 2026/11/30 00:38:57.599325 [FTL] Error listening on port: …`.
  static func reason(in log: String) -> String {
    let lines = log.split(separator: "\n")
    let complaints = lines.compactMap { line in
      ["[FTL] ", "[ERR] "].lazy.compactMap { line.firstRange(of: $0) }.first.map { line[$0.upperBound...] }
    }
    let said = complaints.isEmpty ? lines : complaints
    if said.isEmpty { return "it has logged nothing" }
    let text = said.suffix(5).joined(separator: "; ")
    guard text.contains("address already in use") else { return text }
    return text + "; another server listens there, maybe one of another state directory: end it, or give one of them "
      + "another address or port (endpoint.address and endpoint.nats_port; --endpoint-address and --nats-port)"
  }
}
