import Files
import TestSupport
import Testing

@Suite("LogRotation") struct LogRotationTests {
  @Test("the log becomes the first of the renamed ones, the others move on, and the last one goes")
  func rotate() async throws {
    try await withTemporaryFolder { folder in
      let rotation = LogRotation(path: "\(folder)/log", size: 10, keep: 3)
      for round in 1...5 {
        try Files.replace(rotation.path, with: "\(round)")
        try rotation.rotate()
      }
      #expect(try Files.names(in: folder).sorted() == ["log.1", "log.2", "log.3"])
      for (number, text) in [(1, "5"), (2, "4"), (3, "3")] {
        #expect(try Files.text("\(folder)/log.\(number)") == text)
      }
      // Nothing to rename is fine, and so is a gap.
      try Files.remove("\(folder)/log.2")
      try rotation.rotate()
      #expect(try Files.names(in: folder).sorted() == ["log.2", "log.3"])
    }
  }

  @Test("it is full at its size, gone when the path is another file or none, and fine otherwise")
  func findings() async throws {
    try await withTemporaryFolder { folder in
      let (path, other) = ("\(folder)/log", "\(folder)/other")
      let rotation = LogRotation(path: path, size: 10, keep: 3)
      try Files.replace(path, with: "123456789")
      try Files.replace(other, with: "1234567890")
      let (small, large) = try (FileIdentity(path), FileIdentity(other))
      #expect(rotation.finding(open: small, current: small) == .fine)
      #expect(rotation.finding(open: large, current: large) == .full)
      #expect(rotation.finding(open: nil, current: large) == .full)
      #expect(rotation.finding(open: small, current: large) == .gone)
      #expect(rotation.finding(open: small, current: nil) == .gone)
      #expect(rotation.finding(open: nil, current: nil) == .gone)
    }
  }
}
