import Documents
import Testing

/// What writers of ``Promise/write(_:_:acknowledged:)`` leave behind, and how it is checked after a crash.
///
/// Each writer counts: commit N stores `writer/W = N` and creates `record/W/N`, in one commit.
enum Promise {
  /// Commits until the store fails.
  static func write(_ store: any DocumentStore, _ writer: Int, acknowledged: (Int) -> Void) async {
    let filler = String(repeating: "x", count: 3000)
    var number = 0
    while true {
      number += 1
      do {
        _ = try await store.commit([
          .put("writer", "\(writer)", json(number)),
          .create("record", "\(writer)/\(number)", Array("\"\(filler)\"".utf8)),
        ])
      } catch {
        return
      }
      acknowledged(number)
    }
  }

  struct Outcome {
    /// Commits that were acknowledged and are gone.
    var lost = 0
    /// Writers of which a part of a commit is there.
    var torn = 0
    /// Commits that are there.
    var found = 0
  }

  /// Compares a store with the last number that was acknowledged to each writer.
  static func check(_ store: any DocumentStore, acknowledged: [Int]) async throws -> Outcome {
    var outcome = Outcome()
    for (writer, last) in acknowledged.enumerated() {
      let text = try await store.get("writer", "\(writer)").map { String(decoding: $0.body, as: UTF8.self) } ?? "0"
      let count = try #require(Int(text))
      let records = try await store.list("record", prefix: "\(writer)/").documents.map(\.name)
      outcome.found += count
      outcome.lost += max(0, last - count)
      if Set(records) != Set((0..<count).map { "\(writer)/\($0 + 1)" }) { outcome.torn += 1 }
    }
    return outcome
  }
}
