import Documents
import Formats
import Synchronization
import TestSupport
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

  /// Counts how often it is decoded.
  private struct Counted: Codable, Sendable, Equatable {
    static let decodings = Mutex(0)
    var number: Int

    init(number: Int) { self.number = number }

    init(from decoder: any Decoder) throws {
      number = try decoder.singleValueContainer().decode(Int.self)
      Self.decodings.withLock { $0 += 1 }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(number)
    }
  }

  @Test("one that remembers tells the same as one that does not, whoever writes, and decodes only what has changed")
  func remembering() async throws {
    var random = SeededRandom(seed: 7)
    let plain = DocumentCollection<Int>(store, kind: "number")
    let remembering = DocumentCollection<Counted>(store, kind: "number", remembering: 6)
    let other = DocumentCollection<Counted>(store, kind: "number", remembering: 6)
    for step in 0..<2000 {
      let name = "n\(Int.random(in: 0..<8, using: &random))"
      switch Int.random(in: 0..<8, using: &random) {
      case 0: try await plain.put(name, step)
      case 1: try await other.put(name, Counted(number: step))
      case 2: try await remembering.delete(name)
      case 3: try await plain.delete(name)
      case 4: try await remembering.update(name, orCreate: Counted(number: 0)) { $0.number += 1 }
      case 5: #expect(try await remembering.get(name)?.body.number == plain.get(name)?.body)
      default: break
      }
      let (told, right) = (try await remembering.list(), try await plain.list())
      #expect(told.map(\.name) == right.map(\.name) && told.map(\.body.number) == right.map(\.body), "step \(step)")
      #expect(told.map(\.revision) == right.map(\.revision), "step \(step)")
    }
    for name in try await plain.list().dropFirst(5).map(\.name) { try await plain.delete(name) }
    _ = try await remembering.list()
    let before = Counted.decodings.withLock { $0 }
    _ = try await remembering.list()
    #expect(Counted.decodings.withLock { $0 } == before)
    let one = try #require(try await plain.list().first).name
    try await plain.put(one, -1)
    #expect(try await remembering.list().first?.body.number == -1)
    #expect(Counted.decodings.withLock { $0 } == before + 1)
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
