import Documents
import Formats
import Testing

@Suite("DocumentCollection") struct DocumentCollectionTests {
  struct Lease: Codable, Sendable, Equatable {
    var owner: String
    var count = 0
  }

  let store = MemoryDocumentStore()
  var leases: DocumentCollection<Lease> { DocumentCollection(store, kind: "lease") }

  @Test("values go in and come out, as JSON with sorted keys")
  func roundTrip() async throws {
    let revision = try await leases.create("b", Lease(owner: "me/you"))
    try await leases.put("a", Lease(owner: "x", count: 2))
    let entry = try #require(try await leases.get("b"))
    #expect(entry.body == Lease(owner: "me/you"))
    #expect(entry.revision == revision)
    #expect(try await leases.list().map(\.name) == ["a", "b"])
    #expect(try await leases.list(prefix: "b").map(\.name) == ["b"])
    #expect(try await store.get("lease", "b")?.body == Array(#"{"count":0,"owner":"me/you"}"#.utf8))
    #expect(try await leases.get("c") == nil)
    let error = await #expect(throws: DroverError.self) { try await leases.require("c") }
    #expect(error?.code == .notFound)
  }

  @Test("an update is done again when somebody else was faster, so none is lost")
  func update() async throws {
    try await leases.create("a", Lease(owner: "x"))
    let leases = leases
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { _ = try await leases.update("a") { $0.count += 1 } } }
      try await group.waitForAll()
    }
    #expect(try await leases.get("a")?.body.count == 50)
  }

  @Test("an update that changes nothing writes nothing, one that throws changes nothing")
  func updateWithoutChange() async throws {
    struct Refusal: Error {}
    let revision = try await leases.create("a", Lease(owner: "x"))
    #expect(try await leases.update("a") { _ in }.revision == revision)
    await #expect(throws: Refusal.self) {
      try await leases.update("a") {
        $0.count = 9
        throw Refusal()
      }
    }
    #expect(try await store.revision() == revision)
    await #expect(throws: DroverError.self) { try await leases.update("b") { $0.count += 1 } }
    #expect(try await leases.update("b", orCreate: Lease(owner: "new")) { $0.count += 1 }.body.count == 1)
  }

  @Test("writes of several collections are one commit")
  func combined() async throws {
    let owners = DocumentCollection<String>(store, kind: "owner")
    try await owners.create("x", "taken")
    await #expect(throws: DroverError.self) {
      _ = try await store.commit([leases.creating("a", Lease(owner: "x")), owners.creating("x", "a")])
    }
    #expect(try await leases.get("a") == nil)
    let entry = try #require(try await owners.get("x"))
    _ = try await store.commit([
      leases.creating("a", Lease(owner: "x")), owners.deleting("x", atRevision: entry.revision),
    ])
    #expect(try await owners.get("x") == nil)
  }

  @Test("a document of another shape is corrupt, and says which one")
  func corrupt() async throws {
    _ = try await store.commit([.put("lease", "a", json(7))])
    let error = await #expect(throws: DroverError.self) { try await leases.get("a") }
    #expect(error?.code == .corrupt)
    #expect(error?.message == "reading lease 'a' at revision 1")
  }

  @Test("a watch gives values")
  func watch() async throws {
    try await leases.create("a", Lease(owner: "x"))
    try await leases.delete("a")
    var seen: [Lease?] = []
    for try await change in leases.watch(from: 0) {
      seen.append(change.body)
      if seen.count == 2 { break }
    }
    #expect(seen == [Lease(owner: "x"), nil])
  }
}
