import Formats
import Synchronization
import Testing

@testable import Documents

/// What every driver promises to those who watch.
@Suite("DocumentStore.watch") struct WatchTests {
  @Test("a watch gives the changes above its revision in order, deletions too", arguments: Driver.allCases)
  func order(_ driver: Driver) async throws {
    try await driver.withStore { store in
      _ = try await store.commit([.create("thing", "a", json(1))])
      let listing = try await store.list("thing")
      _ = try await store.commit([
        .put("thing", "a", json(2)), .create("other", "x", json(0)), .put("thing", "b", json(3)),
      ])
      _ = try await store.commit([.delete("thing", "a")])
      let seen = try await store.watch("thing", from: listing.revision).first(3)
      #expect(seen == ["2 thing/a = 2", "4 thing/b = 3", "5 thing/a deleted"])
      #expect(
        try await store.watch(["thing", "other"], from: 2).first(3) == [
          "3 other/x = 0", "4 thing/b = 3", "5 thing/a deleted",
        ])
      #expect(try await store.watch("thing", from: 0).first(1) == ["1 thing/a = 1"])
    }
  }

  @Test("a watch that is ahead of all changes waits for the next one", arguments: Driver.allCases)
  func waiting(_ driver: Driver) async throws {
    try await driver.withStore { store in
      async let seen = store.watch("thing", from: 0).first(2)
      for number in 1...2 {
        try await Task.sleep(for: .milliseconds(5))
        _ = try await store.commit([.put("other", "x", json(0)), .put("thing", "a", json(number))])
      }
      #expect(try await seen == ["2 thing/a = 1", "4 thing/a = 2"])
    }
  }

  @Test("nothing is missed between a listing and its watch while others write", arguments: Driver.allCases)
  func complete(_ driver: Driver) async throws {
    try await driver.withStore(history: 5000) { store in
      let writers = Task {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for writer in 0..<8 {
            group.addTask {
              for number in 0..<60 {
                let name = "\(writer)/\(number % 7)"
                _ = try await store.commit([
                  number % 5 == 4 ? .delete("thing", name) : .put("thing", name, json(number))
                ])
              }
            }
          }
          try await group.waitForAll()
        }
        return try await store.commit([.put("thing", "end", json(0))])
      }
      // Each watcher starts somewhere in the middle and must end with exactly what the store has.
      let copies = try await withThrowingTaskGroup(of: [String: [UInt8]].self) { group in
        for _ in 0..<6 {
          group.addTask {
            let listing = try await store.list("thing")
            var copy = Dictionary(uniqueKeysWithValues: listing.documents.map { ($0.name, $0.body) })
            var last = listing.revision
            if copy["end"] == nil {
              for try await change in store.watch("thing", from: listing.revision) {
                #expect(change.revision > last)
                last = change.revision
                copy[change.name] = change.body
                if change.name == "end" { break }
              }
            }
            return copy
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      _ = try await writers.value
      let documents = try await store.list("thing").documents
      let truth = Dictionary(uniqueKeysWithValues: documents.map { ($0.name, $0.body) })
      #expect(truth.count > 8)
      for copy in copies { #expect(copy == truth) }
    }
  }

  @Test("who reads a commit before it is published watches what comes after it")
  func unpublished() throws {
    let feed = ChangeFeed(last: 3, capacity: 10)
    func change(_ revision: Int64) -> DocumentChange {
      DocumentChange(kind: "thing", name: "a", body: json(Int(revision)), revision: revision)
    }
    #expect(throws: DroverError.self) { _ = try feed.take(["thing"], above: 5) }
    feed.announce(upTo: 5)
    #expect(throws: DroverError.self) { _ = try feed.take(["thing"], above: 6) }
    for cursor: Int64 in 3...5 {
      guard case .none = try feed.take(["thing"], above: cursor) else { Issue.record("\(cursor)"); continue }
    }
    feed.publish([change(4), change(5)])
    guard case .none = try feed.take(["thing"], above: 5) else { Issue.record("5 is seen"); return }
    guard case .some(let found, upTo: 5) = try feed.take(["thing"], above: 4) else { Issue.record("5 is not"); return }
    #expect(found.map(\.revision) == [5])
  }

  @Test("a watch may start from what was just committed", arguments: Driver.allCases)
  func fresh(_ driver: Driver) async throws {
    try await driver.withStore { store in
      let writer = Task {
        for number in 0..<1500 { _ = try await store.commit([.put("thing", "a", json(number))]) }
        _ = try await store.commit([.put("thing", "end", json(0))])
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            while true {
              let listing = try await store.list("thing")
              if listing.documents.contains(where: { $0.name == "end" }) { break }
              for try await change in store.watch("thing", from: listing.revision) {
                #expect(change.revision == listing.revision + 1)
                break
              }
            }
          }
        }
        try await group.waitForAll()
      }
      try await writer.value
    }
  }

  @Test("a watch from before the history says so", arguments: Driver.allCases)
  func forgotten(_ driver: Driver) async throws {
    try await driver.withStore(history: 10) { store in
      for number in 1...50 { _ = try await store.commit([.put("thing", "a", json(number))]) }
      let error = try await #require(throws: DroverError.self) { _ = try await store.watch("thing", from: 3).first(1) }
      #expect(error.isHistoryForgotten)
      #expect(try await store.watch("thing", from: 45).first(5).last == "50 thing/a = 50")
    }
  }

  @Test("a watch ends when the store is closed, and throws when its task is cancelled", arguments: Driver.allCases)
  func ending(_ driver: Driver) async throws {
    try await driver.withStore { store in
      _ = try await store.commit([.put("thing", "a", json(1))])
      let cancelled = Task { try await store.watch("thing", from: 0).first(2) }
      let ended = Task { try await store.watch("thing", from: 0).first(2) }
      cancelled.cancel()
      await #expect(throws: CancellationError.self) { _ = try await cancelled.value }
      try await Task.sleep(for: .milliseconds(10))
      try await store.close()
      #expect(try await ended.value.count <= 1)
    }
  }
}
