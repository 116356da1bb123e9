import Documents
import Glibc
import TestSupport
import Testing

/// kill -9: a process of its own writes, says what was acknowledged, and is killed.
@Suite("SQLiteDocumentStore and kill -9", .serialized) struct KillTests {
  @Test("what was acknowledged survives a kill -9 at any moment, over many kills of the same store")
  func killed() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/documents.sqlite"
      var generator = SystemRandomNumberGenerator()
      for kill in 0..<12 {
        // A new store now and then: its making is killed as well.
        let path = kill % 3 == 2 ? "\(path)-\(kill)" : path
        let writers = 8
        let child = try TestProcess(program: "document-writer", ["write", path, "\(writers)"])
        let lines = child.read(lines: Int.random(in: 1...400, using: &generator))
        child.kill()
        let rest = child.readToEnd()
        var acknowledged = Array(repeating: 0, count: writers)
        for line in lines + rest {
          let words = line.split(separator: " ").compactMap { Int($0) }
          try #require(words.count == 2)
          acknowledged[words[0]] = words[1]
        }
        #expect(!lines.isEmpty)
        let store = try await SQLiteDocumentStore.open(path)
        let outcome = try await Promise.check(store, acknowledged: acknowledged)
        #expect(outcome.lost == 0)
        #expect(outcome.torn == 0)
        #expect(outcome.found >= acknowledged.reduce(0, +))
        #expect(try await store.damage() == [])
        try await store.close()
      }
    }
  }
}
