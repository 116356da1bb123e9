import Files
import Formats
import TestSupport
import Testing

@Suite struct OpenFileTests {
  @Test("a missing file is not found, an existing one is not created")
  func errors() async throws {
    try await withTemporaryFolder { folder in
      let missing = #expect(throws: DroverError.self) { try OpenFile(reading: "\(folder)/none") }
      #expect(missing?.code == .notFound)
      _ = try OpenFile(creating: "\(folder)/file", mode: 0o600)
      let there = #expect(throws: DroverError.self) { try OpenFile(creating: "\(folder)/file", mode: 0o600) }
      #expect(there?.description == "creating '\(folder)/file': File exists")
      #expect(there?.code == .conflict)
    }
  }
}

@Suite struct LockFileTests {
  @Test("a file is locked by one at a time")
  func locking() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/lock"
      var first = try LockFile.tryAcquire(path)
      #expect(first != nil)
      #expect(try LockFile.tryAcquire(path) == nil)
      #expect(try LockFile.tryAcquireForLife(path) == nil)
      first = nil
      let second = try #require(try LockFile.tryAcquireForLife(path))
      #expect(try LockFile.tryAcquire(path) == nil)
      second.release()
      #expect(try LockFile.tryAcquire(path) != nil)
      #expect(throws: DroverError.self) { try LockFile.tryAcquire("\(folder)/no/lock") }
    }
  }
}
