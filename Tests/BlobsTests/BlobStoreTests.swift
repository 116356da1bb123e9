import Blobs
import Digests
import Formats
import Surroundings
import TestSupport
import Testing

/// The drivers that pass the same tests.
enum BlobDriver: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case memory, file

  var testDescription: String { rawValue }

  func withStore(_ test: (any BlobStore) async throws -> Void) async throws {
    switch self {
    case .memory: try await test(MemoryBlobStore(surroundings: .system))
    case .file:
      try await withTemporaryFolder { folder in
        try await test(try FileBlobStore(folder: "\(folder)/blobs", surroundings: .system))
      }
    }
  }
}

/// What every driver of the blobstore promises.
@Suite("BlobStore") struct BlobStoreTests {
  struct Broken: Error {}

  private func chunks(_ chunks: [[UInt8]], failing: Bool = false) -> AsyncThrowingStream<[UInt8], any Error> {
    AsyncThrowingStream { continuation in
      for chunk in chunks { continuation.yield(chunk) }
      continuation.finish(throwing: failing ? Broken() : nil)
    }
  }

  @Test("a blob comes back as it was stored, with its digests", arguments: BlobDriver.allCases)
  func roundTrip(_ driver: BlobDriver) async throws {
    try await driver.withStore { store in
      let stored = try await store.put(bytes: Array("abc".utf8))
      #expect(stored.size == 3)
      #expect(
        stored.digest.description
          == "a9993e364706816aba3e25717850c26c9cd0d89d"
          + ";sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
          + ";sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
      #expect(stored.id.utf8.count == 36)
      #expect(try await store.bytes(stored.id, limit: 3) == Array("abc".utf8))
      #expect(try await store.size(stored.id) == 3)
      #expect(try await store.list() == [stored.id])
      let error = await #expect(throws: DroverError.self) { try await store.bytes(stored.id, limit: 2) }
      #expect(error?.code == .tooLarge)
    }
  }

  @Test("a large blob travels in chunks and can be read by range", arguments: BlobDriver.allCases)
  func ranges(_ driver: BlobDriver) async throws {
    try await driver.withStore { store in
      var random = SeededRandom(seed: 1)
      let bytes = (0..<1_000_003).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let stored = try await store.put(
        chunks(stride(from: 0, to: bytes.count, by: 70_001).map { Array(bytes[$0...].prefix(70_001)) }), id: nil,
        limit: nil)
      #expect(stored.size == 1_000_003)
      for range in [Int64(0)..<10, 131_070..<131_080, 5..<900_000, 1_000_000..<2_000_000, 7..<7, 3_000_000..<3_000_001]
      {
        var read: [UInt8] = []
        for try await chunk in try await store.read(stored.id, range: range) {
          #expect(chunk.count <= BlobBytes.chunkSize)
          read += chunk
        }
        let cut = range.clamped(to: 0..<Int64(bytes.count))
        #expect(read == Array(bytes[Int(cut.lowerBound)..<Int(cut.upperBound)]), "\(range)")
      }
      #expect(try await store.bytes(stored.id, limit: 1 << 20) == bytes)
    }
  }

  @Test("a blob can have an id given, is replaced whole, and can be empty", arguments: BlobDriver.allCases)
  func givenID(_ driver: BlobDriver) async throws {
    try await driver.withStore { store in
      #expect(try await store.put(bytes: [1, 2], id: "my-blob_1.tgz").id == "my-blob_1.tgz")
      _ = try await store.put(bytes: [], id: "my-blob_1.tgz")
      #expect(try await store.size("my-blob_1.tgz") == 0)
      #expect(try await store.bytes("my-blob_1.tgz", limit: 0) == [])
    }
  }

  @Test("what is not there is not found, and can be deleted again", arguments: BlobDriver.allCases)
  func missing(_ driver: BlobDriver) async throws {
    try await driver.withStore { store in
      _ = try await store.put(bytes: [1], id: "a")
      try await store.delete("a")
      try await store.delete("a")
      #expect(try await !store.exists("a"))
      #expect(try await store.file("a") == nil)
      #expect(try await store.list() == [])
      let error = await #expect(throws: DroverError.self) { try await store.read("a", range: nil) }
      #expect(error?.code == .notFound)
    }
  }

  @Test("a put that fails or is too large leaves nothing, and the old blob as it was", arguments: BlobDriver.allCases)
  func failures(_ driver: BlobDriver) async throws {
    try await driver.withStore { store in
      _ = try await store.put(bytes: [1, 2, 3], id: "old")
      for id in ["old", "new"] {
        await #expect(throws: Broken.self) {
          try await store.put(chunks([[4], [5]], failing: true), id: id, limit: nil)
        }
        let error = await #expect(throws: DroverError.self) {
          try await store.put(chunks([[4], [5], [6]]), id: id, limit: 2)
        }
        #expect(error?.code == .tooLarge)
      }
      #expect(try await store.put(chunks([[4], [5]]), id: "fits", limit: 2).size == 2)
      #expect(try await store.list() == ["fits", "old"])
      #expect(try await store.bytes("old", limit: 3) == [1, 2, 3])
    }
  }

  @Test(
    "an id cannot leave its place", arguments: BlobDriver.allCases,
    [
      "", ".", "..", "../x", "a/b", "/etc/passwd", ".incoming", "a\u{0}", "a b", "é",
      String(repeating: "a", count: 201),
    ])
  func ids(_ driver: BlobDriver, _ id: String) async throws {
    try await driver.withStore { store in
      let error = await #expect(throws: DroverError.self) { try await store.put(bytes: [1], id: id) }
      #expect(error?.code == .invalid)
      await #expect(throws: DroverError.self) { try await store.read(id, range: nil) }
      await #expect(throws: DroverError.self) { try await store.delete(id) }
      await #expect(throws: DroverError.self) { try await store.size(id) }
      let ids = try await store.list()
      #expect(ids == [])
    }
  }

  @Test("of several puts under one id, one is there whole", arguments: BlobDriver.allCases)
  func race(_ driver: BlobDriver) async throws {
    try await driver.withStore { store in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in UInt8(0)..<12 {
          group.addTask { _ = try await store.put(bytes: [UInt8](repeating: writer, count: 300_000), id: "same") }
        }
        try await group.waitForAll()
      }
      let bytes = try await store.bytes("same", limit: 300_000)
      #expect(bytes.count == 300_000)
      #expect(Set(bytes).count == 1)
    }
  }
}
