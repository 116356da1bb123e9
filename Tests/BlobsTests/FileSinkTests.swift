import Digests
import Files
import Formats
import Glibc
import TestSupport
import Testing

@testable import Blobs

@Suite("FileSink") struct FileSinkTests {
  struct Broken: Error {}

  private func chunks(_ texts: [String], failing: Bool = false) -> AsyncThrowingStream<[UInt8], any Error> {
    AsyncThrowingStream { continuation in
      for text in texts { continuation.yield(Array(text.utf8)) }
      continuation.finish(throwing: failing ? Broken() : nil)
    }
  }

  @Test("a file appears with its mode, size and digests")
  func whole() async throws {
    try await withTemporaryFolder { folder in
      let written = try await FileSink.write(chunks(["ab", "c"]), to: "\(folder)/file", mode: 0o640)
      #expect(written.size == 3)
      #expect(written.digest.pieces.first?.hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
      #expect(written.digest.pieces.count == 3)
      #expect(try OpenFile(reading: "\(folder)/file").read(10, at: 0) == Array("abc".utf8))
      var status = stat()
      #expect(stat("\(folder)/file", &status) == 0)
      #expect(status.st_mode & 0o777 == 0o640)
      #expect(try Files.names(in: folder) == ["file"])
    }
  }

  @Test("whatever goes wrong, the old file stays and nothing else is left")
  func failures() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/file"
      _ = try await FileSink.write(chunks(["old"]), to: path, mode: 0o600)
      await #expect(throws: Broken.self) {
        try await FileSink.write(chunks(["new"], failing: true), to: path, mode: 0o600)
      }
      let large = await #expect(throws: DroverError.self) {
        try await FileSink.write(chunks(["new", "er"]), to: path, mode: 0o600, limit: 4)
      }
      #expect(large?.code == .tooLarge)
      await #expect(throws: Broken.self) {
        try await FileSink.write(chunks(["new"]), to: path, mode: 0o600) { _ in throw Broken() }
      }
      #expect(try Files.names(in: folder) == ["file"])
      #expect(try OpenFile(reading: path).read(10, at: 0) == Array("old".utf8))
    }
  }
}
