import Files
import Formats
import Glibc
import Surroundings
import TestSupport
import Testing

@Suite struct FilesTests {
  @Test("replaces a file whole, with the mode that was asked for, and leaves nothing beside it")
  func replace() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a"
      try Files.replace(path, with: Array("one".utf8), mode: 0o640)
      try Files.replace(path, with: Array("two".utf8), mode: 0o600)
      #expect(Files.textIfPresent(path) == "two")
      #expect(try Files.names(in: folder) == ["a"])
      var information = stat()
      #expect(stat(path, &information) == 0 && information.st_mode & 0o777 == 0o600)
    }
  }

  @Test("creates a file once")
  func create() async throws {
    try await withTemporaryFolder { folder in
      let first = try Files.create("\(folder)/a", with: [1])
      let second = try Files.create("\(folder)/a", with: [2])
      #expect(first && !second)
      #expect(try Files.read("\(folder)/a") == [1])
      #expect(try Files.names(in: folder) == ["a"])
    }
  }

  @Test("reads ranges, and nothing beyond the end or where there is no file")
  func ranges() async throws {
    try await withTemporaryFolder { folder in
      try Files.replace("\(folder)/a", with: Array("0123456789".utf8))
      let read = { String(decoding: try Files.read("\(folder)/a", offset: $0, maximum: $1), as: UTF8.self) }
      #expect(try read(0, 4) == "0123")
      #expect(try read(8, 4) == "89")
      #expect(try read(20, 4).isEmpty)
      #expect(try read(3, 0).isEmpty)
      #expect(try Files.read("\(folder)/b", offset: 0, maximum: 4).isEmpty)
      let tooLong = #expect(throws: DroverError.self) { try Files.read("\(folder)/a", limit: 9) }
      #expect(tooLong?.code == .tooLarge)
      #expect(try Files.read("\(folder)/a", limit: 10).count == 10)
    }
  }

  @Test("makes folders, and removes trees without following links")
  func trees() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/a/b/c")
      try Files.makeFolder("\(folder)/a/b/c")
      try Files.makeFolder("\(folder)/kept")
      try writeTestFile("\(folder)/kept/file", "x")
      symlink("\(folder)/kept", "\(folder)/a/b/link")
      symlink("\(folder)/kept", "\(folder)/link")
      for name in ["a", "a", "link"] { try Files.remove("\(folder)/\(name)") }
      #expect(try Files.names(in: folder) == ["kept"])
      #expect(try Files.exists("\(folder)/kept/file"))
      #expect(throws: DroverError.self) { try Files.makeFolder("\(folder)/kept/file/x") }
    }
  }

  @Test("removes a tree that is deeper than a path may be long, and names that are no text")
  func oddTrees() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/deep/beside")
      var above = try OpenFile(folder: "\(folder)/deep")
      for number in 0..<3000 {
        #expect(mkdirat(above.descriptor, "d", 0o755) == 0)
        // What is removed before and after the way on.
        if number % 1000 == 0 {
          for name in ["a", "z"] { #expect(mkdirat(above.descriptor, name, 0o755) == 0) }
        }
        above = try above.folder("d")
      }
      let odd: [CChar] = [0x61, CChar(bitPattern: 0xFF), 0]
      #expect(mkdirat(above.descriptor, odd, 0o755) == 0)
      let inOdd = openat(above.descriptor, odd, O_RDONLY | O_DIRECTORY)
      close(openat(inOdd, odd, O_WRONLY | O_CREAT, 0o600))
      close(inOdd)
      #expect(throws: DroverError.self) { try above.names() }
      try Files.remove("\(folder)/deep")
      #expect(try Files.names(in: folder) == [])
    }
  }

  @Test("empties a folder and leaves it; what holds it back is named")
  func emptying() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/a/b/c")
      try writeTestFile("\(folder)/a/file", "x")
      let inside = try OpenFile(folder: "\(folder)/a")
      #expect(try inside.names() == ["b", "file"])
      #expect(try inside.folder("b").names() == ["c"])
      #expect(try inside.file("file").readAll() == Array("x".utf8))
      try Files.removeContents(of: inside)
      #expect(try inside.names() == [] && Files.names(in: folder) == ["a"])
      // The kernel's files cannot be removed, whoever asks.
      let error = #expect(throws: DroverError.self) { try Files.remove("/proc/self/task") }
      #expect(error?.message.hasPrefix("removing '/proc/self/task/") == true)
    }
  }

  @Test("copies a file, which is there when it is whole, and reads links")
  func copies() async throws {
    try await withTemporaryFolder { folder in
      let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
      try Files.replace("\(folder)/a", with: bytes)
      for _ in 0..<2 { try Files.copy("\(folder)/a", to: "\(folder)/b", mode: 0o640) }
      #expect(try Files.read("\(folder)/b") == bytes)
      #expect(try FileFacts("\(folder)/b")?.permissions == 0o640)
      #expect(throws: DroverError.self) { try Files.copy(folder, to: "\(folder)/c") }
      symlink("nowhere/ü", "\(folder)/link")
      #expect(try Files.linkText("\(folder)/link") == "nowhere/ü")
      #expect(try Files.isLink("\(folder)/link") && Files.isThere("\(folder)/link") && !Files.exists("\(folder)/link"))
      #expect(try Files.linkText("\(folder)/a") == nil && Files.linkText("\(folder)/none") == nil)
      #expect(try Files.names(in: folder) == ["a", "b", "link"])
    }
  }

  @Test("a folder stays as it is when there is one, and a link to one counts as one")
  func folders() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/a/b", mode: 0o700)
      try Files.makeFolder("\(folder)/a/b", mode: 0o755)
      #expect(try FileFacts("\(folder)/a")?.permissions == 0o700)
      symlink("\(folder)/a", "\(folder)/link")
      try Files.makeFolder("\(folder)/link")
      try Files.makeFolder("\(folder)/link/c")
      #expect(try Files.isFolder("\(folder)/a/c") && !Files.isFolder("\(folder)/link"))
      try writeTestFile("\(folder)/file", "x")
      let inTheWay = #expect(throws: DroverError.self) { try Files.makeFolder("\(folder)/file") }
      #expect(inTheWay?.message == "making folder '\(folder)/file': File exists")
      #expect(try Files.names(in: folder) == ["a", "file", "link"])
      #expect(try Files.names(in: "\(folder)/none").isEmpty)
      #expect(throws: DroverError.self) { try Files.names(in: "\(folder)/file") }
    }
  }

  @Test("what is not there has no text and no size; what cannot be read is an error, but for those who do not ask")
  func absent() async throws {
    try await withTemporaryFolder { folder in
      try Files.replace("\(folder)/a", with: "text")
      #expect(try Files.text("\(folder)/a") == "text")
      #expect(try Files.size("\(folder)/a") == 4)
      for path in ["\(folder)/none", "\(folder)/a/below"] {
        #expect(try Files.text(path) == nil)
        #expect(try Files.size(path) == nil)
        try Files.remove(path)
      }
      #expect(try Files.size(folder) == nil)
      for kind in Unreadable.allCases {
        let path = "\(folder)/\(kind)"
        try kind.put(path)
        let error = #expect(throws: DroverError.self) { try Files.text(path) }
        #expect(error?.message == "reading '\(path)': \(kind.reason)")
        #expect(throws: DroverError.self) { try Files.bytes(path) }
        #expect(Files.textIfPresent(path) == nil)
      }
      #expect(try Files.text("/proc/self/stat")?.isEmpty == false)
    }
  }

  @Test("what cannot be looked at is not missing, but for those who only look for what they can see")
  func unseen() async throws {
    try await withTemporaryFolder { folder in
      let loop = "\(folder)/loop"
      try makeLinkLoop(loop)
      for path in [loop, "\(loop)/below", "\(folder)/\(String(repeating: "x", count: 300))"] {
        let error = #expect(throws: DroverError.self) { try Files.exists(path) }
        #expect(error?.message.hasPrefix("looking at '\(path)': ") == true && error?.code != .notFound)
        #expect(throws: DroverError.self) { try FileFacts(path) }
        #expect(throws: DroverError.self) { try FileIdentity(path) }
        #expect(throws: DroverError.self) { try Files.size(path) }
        #expect(!Files.isVisible(path))
      }
      // The link itself can be looked at, and what is below it is none.
      #expect(try Files.isThere(loop) && Files.isLink(loop) && !Files.isFolder(loop))
      try Files.replace("\(folder)/file", with: "")
      for path in ["\(folder)/none", "\(folder)/none/below", "\(folder)/file/below"] {
        #expect(try !Files.exists(path) && !Files.isThere(path) && !Files.isFolder(path))
        #expect(try FileIdentity(path) == nil)
      }
      #expect(Files.isVisible(folder) && Files.isVisible("\(folder)/file"))
    }
  }

  @Test("reads what comes through a pipe")
  func pipes() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/pipe"
      #expect(mkfifo(path, 0o600) == 0)
      async let written: Void = blocking {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        _ = write(descriptor, "through", 7)
        close(descriptor)
      }
      let text = try await blocking { try Files.text(path) }
      try await written
      #expect(text == "through")
    }
  }
}
