import Documents
import TestSupport
import Testing

/// The drivers that pass the same tests.
enum Driver: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case memory, sqlite

  var testDescription: String { rawValue }

  /// Runs a test with an empty store.
  func withStore(history: Int = 10_000, _ test: (any DocumentStore) async throws -> Void) async throws {
    switch self {
    case .memory: try await test(MemoryDocumentStore(history: history))
    case .sqlite:
      try await withTemporaryFolder { folder in
        let store = try await SQLiteDocumentStore.open("\(folder)/documents.sqlite", history: history)
        try await test(store)
        try await store.close()
      }
    }
  }
}

func json(_ number: Int) -> [UInt8] { Array("\(number)".utf8) }

extension DocumentChange {
  /// `1 thing/a = 5`, or `2 thing/a deleted`.
  var summary: String {
    "\(revision) \(kind)/\(name) " + (body.map { "= \(String(decoding: $0, as: UTF8.self))" } ?? "deleted")
  }
}

extension DocumentChanges {
  /// The first few changes.
  func first(_ count: Int) async throws -> [String] {
    var found: [String] = []
    guard count > 0 else { return [] }
    for try await change in self {
      found.append(change.summary)
      if found.count == count { break }
    }
    return found
  }
}
