import Documents
import Formats
import Synchronization
import Testing

/// What every driver of the document store promises.
@Suite("DocumentStore") struct DocumentStoreTests {
  @Test("a created document can be read, and cannot be created again", arguments: Driver.allCases)
  func create(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let revision = try await store.commit([.create("thing", "a", json(1))])
      #expect(
        try await store.get("thing", "a") == Document(kind: "thing", name: "a", body: json(1), revision: revision))
      #expect(try await store.get("thing", "b") == nil)
      #expect(try await store.get("other", "a") == nil)
      let error = try await #require(throws: DroverError.self) {
        _ = try await store.commit([.create("thing", "a", json(2))])
      }
      #expect(error.code == .conflict)
      #expect(error.documentFault == DocumentFault(.exists, kind: "thing", name: "a", found: revision))
      #expect(error.description.hasSuffix("thing 'a' exists already"))
      #expect(try await store.get("thing", "a")?.body == json(1))
    }
  }

  @Test("a document is replaced only at the revision that the writer has read", arguments: Driver.allCases)
  func replace(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let first = try await store.commit([.create("thing", "a", json(1))])
      let second = try await store.commit([.replace("thing", "a", json(2), atRevision: first)])
      #expect(second == first + 1)
      let stale = try await #require(throws: DroverError.self) {
        _ = try await store.commit([.replace("thing", "a", json(3), atRevision: first)])
      }
      #expect(stale.code == .conflict)
      #expect(stale.documentFault?.reason == .stale(expected: first))
      #expect(stale.documentFault?.found == second)
      let missing = try await #require(throws: DroverError.self) {
        _ = try await store.commit([.replace("thing", "b", json(3), atRevision: first)])
      }
      #expect(missing.code == .notFound)
      #expect(missing.isDocumentMissing)
      #expect(try await store.get("thing", "a")?.body == json(2))
    }
  }

  @Test("put stores and overwrites without a condition", arguments: Driver.allCases)
  func put(_ driver: Driver) async throws {
    try await driver.withStore { store in
      _ = try await store.commit([.put("thing", "a", json(1))])
      let revision = try await store.commit([.put("thing", "a", json(2))])
      #expect(try await store.get("thing", "a")?.body == json(2))
      #expect(try await store.get("thing", "a")?.revision == revision)
    }
  }

  @Test("a document is deleted at its revision, or at any", arguments: Driver.allCases)
  func delete(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let first = try await store.commit([.create("thing", "a", json(1))])
      let second = try await store.commit([.put("thing", "a", json(2))])
      await #expect(throws: DroverError.self) {
        _ = try await store.commit([.delete("thing", "a", atRevision: first)])
      }
      #expect(try await store.commit([.delete("thing", "a", atRevision: second)]) == second + 1)
      #expect(try await store.get("thing", "a") == nil)
      await #expect(throws: DroverError.self) {
        _ = try await store.commit([.delete("thing", "a", atRevision: second)])
      }
      // Nothing to do, so nothing changes.
      #expect(try await store.commit([.delete("thing", "a")]) == second + 1)
      #expect(try await store.commit([.create("thing", "a", json(3))]) == second + 2)
    }
  }

  @Test("a commit does all of its writes or none", arguments: Driver.allCases)
  func atomic(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let first = try await store.commit([.create("thing", "a", json(1)), .create("thing", "b", json(1))])
      #expect(try await store.get("thing", "a")?.revision == first - 1)
      await #expect(throws: DroverError.self) {
        _ = try await store.commit([
          .put("thing", "a", json(2)), .delete("thing", "b"), .create("thing", "c", json(2)),
          .replace("thing", "b", json(2), atRevision: 99),
        ])
      }
      await #expect(throws: DroverError.self) {
        _ = try await store.commit([.put("thing", "a", json(2)), .require("thing", "c", atRevision: first)])
      }
      #expect(try await store.list("thing").documents.map(\.name) == ["a", "b"])
      #expect(try await store.get("thing", "a")?.body == json(1))
      #expect(try await store.revision() == first)
      _ = try await store.commit([.put("thing", "a", json(2)), .require("thing", "b", atRevision: first)])
      _ = try await store.commit([.put("thing", "a", json(3)), .require("thing", "c", atRevision: nil)])
      #expect(try await store.get("thing", "a")?.body == json(3))
    }
  }

  @Test(
    "what is not allowed is refused before anything is written", arguments: Driver.allCases,
    [
      [Write.put("thing", "a", json(1)), .delete("thing", "a")], [.put("thing", "", json(1))],
      [.put("thing", "a\nb", json(1))], [.put("Thing", "a", json(1))], [.put("", "a", json(1))],
      [.put("thing", String(repeating: "n", count: 1025), json(1))],
    ])
  func invalid(_ driver: Driver, _ writes: [Write]) async throws {
    try await driver.withStore { store in
      let error = try await #require(throws: DroverError.self) { _ = try await store.commit(writes) }
      #expect(error.code == .invalid)
      #expect(try await store.revision() == 0)
    }
  }

  @Test("a listing has the names with the prefix in byte order", arguments: Driver.allCases)
  func listing(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let names = ["b", "a/10", "a/2", "a", "a/é", "a/z", "a/Z", "ab", "a0", "é", "e\u{301}", "a/\u{10FFFF}"]
      for name in names.shuffled() { _ = try await store.commit([.create("thing", name, json(0))]) }
      _ = try await store.commit([.create("thin", "a/3", json(0)), .create("things", "a/3", json(0))])
      let all = try await store.list("thing")
      #expect(all.documents.map { Array($0.name.utf8) } == names.map { Array($0.utf8) }.sorted(by: precedes))
      #expect(all.revision == Int64(names.count + 2))
      #expect(
        try await store.list("thing", prefix: "a/").documents.map(\.name) == [
          "a/10", "a/2", "a/Z", "a/z", "a/é", "a/\u{10FFFF}",
        ])
      #expect(try await store.list("thing", prefix: "c").documents.isEmpty)
      #expect(try await store.list("nothing").documents.isEmpty)
    }
  }

  private func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }

  @Test("numbers of a sequence are given once each, whoever asks", arguments: Driver.allCases)
  func numbers(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let numbers = try await withThrowingTaskGroup(of: Int64.self) { group in
        for _ in 0..<40 { group.addTask { try await store.nextNumber("task") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(numbers.sorted() == Array(1...40))
      #expect(try await store.nextNumber("config") == 1)
    }
  }

  @Test("of many writers at once, each condition holds for one only", arguments: Driver.allCases)
  func race(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
        for writer in 0..<200 {
          group.addTask {
            do {
              _ = try await store.commit([
                .create("lock", "\(writer % 10)", json(writer)), .put("last", "x", json(writer)),
              ])
              return true
            } catch let error where error.isDocumentExists {
              return false
            }
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(winners == 10)
      #expect(try await store.revision() == 20)
    }
  }

  @Test("a closed store refuses", arguments: Driver.allCases)
  func closed(_ driver: Driver) async throws {
    try await driver.withStore { store in
      try await store.close()
      let error = try await #require(throws: DroverError.self) { _ = try await store.commit([.put("a", "b", json(1))]) }
      #expect(error.code == .unavailable)
      await #expect(throws: DroverError.self) { _ = try await store.get("a", "b") }
    }
  }
}
