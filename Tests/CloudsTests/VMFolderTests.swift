import Files
import Formats
import TestSupport
import Testing

@testable import Clouds

@Suite struct VMFolderTests {
  @Test("a VM whose record cannot be looked at is not one without")
  func unseen() async throws {
    try await withTemporaryFolder { path in
      let folder = VMFolder(path: path)
      #expect(try folder.readRecord() == nil)
      try makeLinkLoop(folder.record)
      let error = #expect(throws: DroverError.self) { try folder.readRecord() }
      #expect(error?.message.contains(folder.record) == true)
    }
  }
}
