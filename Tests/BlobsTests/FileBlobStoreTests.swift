import Blobs
import Files
import Formats
import Glibc
import Surroundings
import TestSupport
import Testing

@Suite("FileBlobStore") struct FileBlobStoreTests {
  @Test("blobs lie where a DAV blobstore has them, for nobody else to read")
  func layout() async throws {
    try await withTemporaryFolder { folder in
      let store = try FileBlobStore(folder: folder, surroundings: .system)
      _ = try await store.put(bytes: Array("x".utf8), id: "abc")
      // sha1("abc") = a9993e36…
      #expect(try await store.file("abc") == "\(folder)/a9/abc")
      var status = stat()
      #expect(stat("\(folder)/a9/abc", &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
    }
  }

  @Test("files go in and come out whole")
  func files() async throws {
    try await withTemporaryFolder { folder in
      let store = try FileBlobStore(folder: "\(folder)/blobs", surroundings: .system)
      _ = try await store.put(bytes: [UInt8](repeating: 7, count: 300_000), id: "a")
      try await store.copy("a", to: "\(folder)/copy", mode: 0o640)
      let again = try await store.put(file: "\(folder)/copy")
      #expect(again.size == 300_000)
      #expect(try await store.bytes(again.id, limit: 300_000) == [UInt8](repeating: 7, count: 300_000))
      let error = await #expect(throws: DroverError.self) { try await store.put(file: "\(folder)/none", id: "b") }
      #expect(error?.code == .notFound)
      #expect(try await store.list() == ["a", again.id].sorted())
    }
  }

  @Test("what a crash left half written is removed at the next start")
  func crash() async throws {
    try await withTemporaryFolder { folder in
      let store = try FileBlobStore(folder: folder, surroundings: .system)
      _ = try await store.put(bytes: [1], id: "kept")
      _ = try OpenFile(creating: "\(folder)/.incoming/half", mode: 0o600)
      let again = try FileBlobStore(folder: folder, surroundings: .system)
      #expect(try Files.names(in: "\(folder)/.incoming") == [])
      #expect(try await again.list() == ["kept"])
    }
  }

  @Test("a full disk is called one, and nothing is left on it", .enabled(if: geteuid() == 0, "mounting needs root"))
  func fullDisk() async throws {
    try await withSmallDisk(kilobytes: 512) { folder in
      let store = try FileBlobStore(folder: folder, surroundings: .system)
      _ = try await store.put(bytes: [UInt8](repeating: 1, count: 100_000), id: "kept")
      let error = await #expect(throws: DroverError.self) {
        try await store.put(bytes: [UInt8](repeating: 1, count: 1_000_000), id: "large")
      }
      #expect(error?.code == .failed)
      #expect(error?.description.contains("storing blob 'large'") == true)
      #expect(error?.description.contains("the disk is full") == true)
      #expect(try Files.names(in: "\(folder)/.incoming") == [])
      #expect(try await store.list() == ["kept"])
      // There is room again for what fits, once no child of another test that is just being started holds the file.
      for attempt in 1... {
        do {
          _ = try await store.put(bytes: [UInt8](repeating: 1, count: 300_000), id: "fits")
          break
        } catch  where attempt < 200 {
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      #expect(try await store.list() == ["fits", "kept"])
    }
  }

  @Test("ids come from the surroundings")
  func identifiers() async throws {
    try await withTemporaryFolder { folder in
      var surroundings = Surroundings.system
      surroundings.identifier = { "11111111-2222-4333-8444-555555555555" }
      let store = try FileBlobStore(folder: folder, surroundings: surroundings)
      #expect(try await store.put(bytes: [1]).id == "11111111-2222-4333-8444-555555555555")
    }
  }
}
