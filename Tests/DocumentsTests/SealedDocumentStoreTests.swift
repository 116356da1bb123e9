import Documents
import Files
import Formats
import Sealing
import Surroundings
import TestSupport
import Testing

@Suite("SealedDocumentStore") struct SealedDocumentStoreTests {
  struct Order: Codable, Sendable, Equatable {
    var title = "order"
    var request: String
    var answer: String?
  }

  private static func orders(_ store: any DocumentStore) -> DocumentCollection<Order> {
    DocumentCollection(
      store, kind: "order", sealing: [SealedField("request", \.request), SealedField("answer", \.answer)])
  }

  private static func text(_ store: any DocumentStore, _ name: String) async throws -> String {
    String(decoding: try #require(try await store.get("order", name)).body, as: UTF8.self)
  }

  @Test("a driver gets sealed fields, and the collection has them in clear", arguments: Driver.allCases)
  func sealed(_ driver: Driver) async throws {
    try await withTemporaryFolder { folder in
      try await driver.withStore { driver in
        let store = try await SealedDocumentStore.open(driver, keyFile: "\(folder)/seal.key", .system)
        let orders = Self.orders(store)
        let order = Order(request: "the-secret", answer: "another-secret")
        let revision = try await orders.create("a", order)
        #expect(try await orders.get("a")?.body == order)
        let text = try await Self.text(driver, "a")
        #expect(!text.contains("secret"))
        #expect(text.contains(#""title":"order""#))
        // What has not changed is not written again.
        #expect(try await orders.update("a") { _ in }.revision == revision)
        try await orders.update("a") { $0.answer = nil }
        #expect(try await orders.list().first?.body == Order(request: "the-secret"))
        for try await change in orders.watch(from: revision) {
          #expect(change.body == Order(request: "the-secret"))
          break
        }
      }
    }
  }

  @Test("documents from before there were keys are read, and sealed when they are next written")
  func clear() async throws {
    try await withTemporaryFolder { folder in
      let driver = MemoryDocumentStore()
      try await Self.orders(driver).create("a", Order(request: "the-secret"))
      #expect(try await Self.text(driver, "a").contains("the-secret"))
      let orders = Self.orders(
        try await SealedDocumentStore.open(driver, keyFile: "\(folder)/seal.key", .system))
      #expect(try await orders.get("a")?.body.request == "the-secret")
      try await orders.update("a") { $0.title = "changed" }
      #expect(try await !Self.text(driver, "a").contains("the-secret"))
      #expect(try await orders.get("a")?.body == Order(title: "changed", request: "the-secret"))
    }
  }

  @Test("the first start makes the file, the others have its key, and several at once make one")
  func keyFile() async throws {
    try await withTemporaryFolder { folder in
      let (driver, path) = (MemoryDocumentStore(), "\(folder)/seal.key")
      let ids = try await withThrowingTaskGroup(of: String?.self) { group in
        for _ in 0..<8 {
          group.addTask { try await SealedDocumentStore.open(driver, keyFile: path, .system).seal?.current.id }
        }
        return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
      #expect(try FileFacts(path)?.permissions == 0o600)
      #expect(try Files.names(in: folder) == ["seal.key"])
    }
  }

  @Test("a missing, another or a damaged file stops the start with what is wanted, and changes nothing")
  func withoutKey() async throws {
    try await withTemporaryFolder { folder in
      let (driver, path) = (MemoryDocumentStore(), "\(folder)/seal.key")
      let store = try await SealedDocumentStore.open(driver, keyFile: path, .system)
      let id = try #require(store.seal?.current.id)
      try await Self.orders(store).create("a", Order(request: "the-secret"))
      let revision = try await driver.revision()
      let kept = try Files.read(path)
      let other = try #require(SealKey(Array(repeating: 9, count: 32)))
      try Files.remove(path)
      for (text, code) in [
        (nil, DroverError.Code.notFound), (SealKeyText.text(other), .forbidden), ("damaged", .invalid),
      ] {
        if let text { try Files.replace(path, with: text) }
        let error = await #expect(throws: DroverError.self) {
          try await SealedDocumentStore.open(driver, keyFile: path, .system)
        }
        #expect(error?.code == code)
        #expect(error?.description.contains(path) == true)
        if code != .invalid { #expect(error?.description.contains(id) == true) }
        #expect(try Files.text(path) == text)
        #expect(try await driver.revision() == revision)
      }
      try Files.replace(path, with: kept)
      let orders = Self.orders(try await SealedDocumentStore.open(driver, keyFile: path, .system))
      #expect(try await orders.get("a")?.body.request == "the-secret")
      // Without any keys it is an error, and not what stands there.
      let error = await #expect(throws: DroverError.self) { try await Self.orders(driver).get("a") }
      #expect(error?.code == .forbidden)
    }
  }

  @Test("a new key before the old one seals from then on; the old one is read as long as its line is there")
  func rotation() async throws {
    try await withTemporaryFolder { folder in
      let (driver, path) = (MemoryDocumentStore(), "\(folder)/seal.key")
      let first = try await SealedDocumentStore.open(driver, keyFile: path, .system)
      try await Self.orders(first).create("a", Order(request: "one"))
      try await Self.orders(first).create("b", Order(request: "two"))
      let new = try #require(SealKey(Array(repeating: 5, count: 32)))
      let old = try #require(try Files.text(path))
      try Files.replace(path, with: SealKeyText.text(new) + old)
      let orders = Self.orders(try await SealedDocumentStore.open(driver, keyFile: path, .system))
      #expect(try await orders.list().map(\.body.request) == ["one", "two"])
      try await orders.update("a") { _ in }
      #expect(try await Self.text(driver, "a").contains(new.id))
      try Files.replace(path, with: SealKeyText.text(new))
      let later = Self.orders(try await SealedDocumentStore.open(driver, keyFile: path, .system))
      #expect(try await later.get("a")?.body.request == "one")
      let error = await #expect(throws: DroverError.self) { try await later.get("b") }
      #expect(error?.code == .forbidden)
      // Back to the old key alone it does not start.
      try Files.replace(path, with: old)
      await #expect(throws: DroverError.self) { try await SealedDocumentStore.open(driver, keyFile: path, .system) }
    }
  }
}
