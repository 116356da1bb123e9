import Files
import Formats
import Surroundings
import TestSupport
import Testing

@testable import Server

@Suite struct StateFilesTests {
  @Test("The password that was made once stays, also when its file cannot be read for now")
  func password() async throws {
    try await withTemporaryFolder { folder in
      let files = StateFiles(directory: folder)
      let users = try files.users([:], .system)
      #expect(Array(users.keys) == ["admin"])
      #expect(try files.users([:], .system) == users)
      // A folder in its place can be opened and not read.
      try Files.remove(files.passwords)
      try Files.makeFolder(files.passwords)
      #expect(throws: DroverError.self) { try files.users([:], .system) }
      #expect(try Files.isFolder(files.passwords))
    }
  }
}
