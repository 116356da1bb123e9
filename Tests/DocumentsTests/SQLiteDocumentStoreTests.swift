import Files
import Formats
import Glibc
import TestSupport
import Testing

@testable import Documents

@Suite("SQLiteDocumentStore") struct SQLiteDocumentStoreTests {
  @Test("what was committed is there after reopening, and revisions go on")
  func reopen() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/documents.sqlite"
      let store = try await SQLiteDocumentStore.open(path)
      for number in 1...5 { _ = try await store.commit([.put("thing", "a", json(number))]) }
      _ = try await store.commit([.delete("thing", "a")])
      try await store.close()

      let again = try await SQLiteDocumentStore.open(path)
      #expect(try await again.get("thing", "a") == nil)
      #expect(try await again.commit([.create("thing", "b", json(9))]) == 7)
      // The first ones come from the table of changes, the last one from memory.
      #expect(
        try await again.watch("thing", from: 3).first(4) == [
          "4 thing/a = 4", "5 thing/a = 5", "6 thing/a deleted", "7 thing/b = 9",
        ])
      #expect(try await again.damage() == [])
      try await again.close()
    }
  }

  @Test("nothing of a document that was removed, or written anew, is in the file when the history is past it")
  func secureDelete() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/documents.sqlite"
      let store = try await SQLiteDocumentStore.open(path, history: 10)
      // One that fits into a page and one that does not.
      let secrets = ["s3cr3t-small", String(repeating: "s3cr3t-large", count: 3000)].map { Array($0.utf8) }
      for (index, secret) in secrets.enumerated() {
        _ = try await store.commit([.put("thing", "removed-\(index)", secret)])
        _ = try await store.commit([.put("thing", "changed-\(index)", secret)])
      }
      #expect(try !Self.files(with: "s3cr3t", in: folder).isEmpty)
      for index in secrets.indices {
        _ = try await store.commit([.delete("thing", "removed-\(index)")])
        _ = try await store.commit([.put("thing", "changed-\(index)", json(1))])
      }
      for number in 1...50 { _ = try await store.commit([.put("thing", "a", json(number))]) }
      // The journal goes into the file then.
      try await store.close()
      #expect(try Self.files(with: "s3cr3t-small", in: folder) == [])
      #expect(try Self.files(with: "s3cr3t-large", in: folder) == [])
    }
  }

  /// The files of a folder that have a text in them.
  private static func files(with text: String, in folder: String) throws -> [String] {
    try Files.names(in: folder).filter { try Files.read("\(folder)/\($0)").firstRange(of: Array(text.utf8)) != nil }
  }

  @Test("the history is trimmed, the last revision is kept")
  func trimming() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/documents.sqlite"
      let store = try await SQLiteDocumentStore.open(path, history: 10)
      for number in 1...35 { _ = try await store.commit([.put("thing", "a", json(number))]) }
      try await store.close()
      let again = try await SQLiteDocumentStore.open(path, history: 10)
      #expect(try await again.revision() == 35)
      #expect(try await again.watch("thing", from: 25).first(10).count == 10)
      let error = await #expect(throws: DroverError.self) { try await again.watch("thing", from: 10).first(1) }
      #expect(error?.isHistoryForgotten == true)
      try await again.close()
    }
  }

  @Test("of more changes at once than the history keeps, the latest are kept, and nobody misses those before unawares")
  func trimmingAtOnce() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/documents.sqlite"
      let store = try await SQLiteDocumentStore.open(path, history: 10)
      for number in 1...5 { _ = try await store.commit([.put("thing", "a", json(number))]) }
      #expect(try await store.commit((0..<30).map { .put("thing", "b\($0)", json($0)) }) == 35)
      try await store.close()
      let again = try await SQLiteDocumentStore.open(path, history: 10)
      #expect(try await again.revision() == 35)
      #expect(try await again.watch("thing", from: 25).first(10).count == 10)
      for revision: Int64 in [3, 5, 24] {
        let error = await #expect(throws: DroverError.self) { try await again.watch("thing", from: revision).first(1) }
        #expect(error?.isHistoryForgotten == true)
      }
      #expect(try await again.commit([.put("thing", "c", json(0))]) == 36)
      try await again.close()
    }
  }

  @Test("writers that come together share transactions")
  func sharing() async throws {
    try await withTemporaryFolder { folder in
      let store = try await SQLiteDocumentStore.open("\(folder)/documents.sqlite")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<64 {
          group.addTask {
            for number in 0..<10 { _ = try await store.commit([.create("thing", "\(writer)/\(number)", json(0))]) }
          }
        }
        try await group.waitForAll()
      }
      let statistics = store.statistics
      #expect(statistics.commits == 640)
      #expect(statistics.transactions < 320, "\(statistics)")
      #expect(try await store.list("thing").documents.count == 640)
      try await store.close()
    }
  }

  @Test("a condition that does not hold fails its own commit and none of those that share its transaction")
  func ownFailure() async throws {
    try await withTemporaryFolder { folder in
      let store = try await SQLiteDocumentStore.open("\(folder)/documents.sqlite")
      _ = try await store.commit([.create("thing", "taken", json(0))])
      let outcomes = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<100 {
          group.addTask {
            do {
              _ = try await store.commit([
                .create("thing", "\(number)", json(0)),
                .create("thing", number % 2 == 0 ? "taken" : "x\(number)", json(0)),
              ])
              return true
            } catch {
              return false
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 }.count == 50)
      #expect(try await store.list("thing").documents.count == 101)
      #expect(try await store.revision() == 101)
      try await store.close()
    }
  }

  @Test("a database has one owner, is nobody else's to read, and must be one")
  func opening() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/documents.sqlite"
      let store = try await SQLiteDocumentStore.open(path)
      let second = await #expect(throws: DroverError.self) { try await SQLiteDocumentStore.open(path) }
      #expect(second?.code == .conflict)
      _ = try await store.commit([.put("thing", "a", json(1))])
      for suffix in ["", "-wal", "-shm", ".lock"] {
        var status = stat()
        #expect(stat(path + suffix, &status) == 0)
        #expect(status.st_mode & 0o077 == 0, "\(suffix)")
      }
      try await store.close()

      let text = "\(folder)/text"
      let file = try #require(fopen(text, "w"))
      for _ in 0..<200 { fputs("this is no database\n", file) }
      fclose(file)
      let damaged = await #expect(throws: DroverError.self) { try await SQLiteDocumentStore.open(text) }
      #expect(damaged?.code == .corrupt)
    }
  }
}
