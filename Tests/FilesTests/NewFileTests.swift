import Formats
import Glibc
import TestSupport
import Testing

@testable import Files

@Suite struct NewFileTests {
  /// The name that a file has between two system calls, when it replaces another one.
  private static let waiting = ".a.drover-new"

  private func write(_ text: String, to path: String, isNamed: Bool) throws -> NewFile {
    let new = try NewFile(path, mode: 0o600, workplace: nil, isNamed: isNamed)
    try new.file.write(Array(text.utf8))
    return new
  }

  /// That the file has this text, and nothing is beside it.
  private func expectOnly(
    _ text: String, in folder: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try Files.text("\(folder)/a") == text, sourceLocation: sourceLocation)
    #expect(try Files.names(in: folder) == ["a"], sourceLocation: sourceLocation)
  }

  @Test("Nobody sees a file before it is in its place, nor anything of one that is given up", arguments: [false, true])
  func unseen(_ isNamed: Bool) async throws {
    try await withTemporaryFolder { folder in
      for old in [nil, "old"] {
        if let old { try Files.replace("\(folder)/a", with: old) }
        do {
          let new = try write("new", to: "\(folder)/a", isNamed: isNamed)
          #expect(try Files.text("\(folder)/a") == old)
          if !isNamed { #expect(try Files.names(in: folder) == (old == nil ? [] : ["a"])) }
          withExtendedLifetime(new) {}
        }
        #expect(try Files.names(in: folder) == (old == nil ? [] : ["a"]))
        do { try write("new", to: "\(folder)/a", isNamed: isNamed).replace() }
        try expectOnly("new", in: folder)
        try Files.remove("\(folder)/a")
      }
    }
  }

  @Test("It is made only where nothing is", arguments: [false, true])
  func created(_ isNamed: Bool) async throws {
    try await withTemporaryFolder { folder in
      for (text, isMade) in [("one", true), ("two", false)] {
        let new = try write(text, to: "\(folder)/a", isNamed: isNamed)
        #expect(try new.create() == isMade)
      }
      try expectOnly("one", in: folder)
    }
  }

  @Test("What another folder is for is made there, and so are names as long as they may be", arguments: [false, true])
  func places(_ isNamed: Bool) async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/work")
      try Files.makeFolder("\(folder)/kept")
      for name in ["a", String(repeating: "n", count: 255), String(repeating: "ü", count: 127)] {
        for text in ["one", "two"] {
          let new = try NewFile("\(folder)/kept/\(name)", mode: 0o640, workplace: "\(folder)/work", isNamed: isNamed)
          try new.file.write(Array(text.utf8))
          #expect(try Files.names(in: "\(folder)/work").count == (isNamed ? 1 : 0))
          try new.replace()
        }
        #expect(try Files.text("\(folder)/kept/\(name)") == "two")
        try Files.remove("\(folder)/kept/\(name)")
      }
      #expect(try Files.names(in: "\(folder)/kept") + Files.names(in: "\(folder)/work") == [])
    }
  }

  @Test("What a killed process left goes with the next one that replaces the file")
  func leftover() async throws {
    try await withTemporaryFolder { folder in
      try Files.replace("\(folder)/a", with: "old")
      try writeTestFile("\(folder)/\(Self.waiting)", "left")
      try Files.replace("\(folder)/a", with: "new")
      try expectOnly("new", in: folder)
    }
  }

  @Test("What another process is about to put in its place is waited for")
  func contended() async throws {
    try await withTemporaryFolder { folder in
      try Files.replace("\(folder)/a", with: "old")
      try writeTestFile("\(folder)/\(Self.waiting)", "other")
      let other = open("\(folder)/\(Self.waiting)", O_RDONLY)
      #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
      let done = Task.detached { try Files.replace("\(folder)/a", with: "mine") }
      try await Task.sleep(for: .milliseconds(100))
      #expect(try Files.text("\(folder)/a") == "old")
      #expect(try Files.text("\(folder)/\(Self.waiting)") == "other")
      #expect(rename("\(folder)/\(Self.waiting)", "\(folder)/a") == 0)
      close(other)
      try await done.value
      try expectOnly("mine", in: folder)
    }
  }

  @Test("What cannot be put in its place says so, and leaves nothing", arguments: [false, true])
  func inTheWay(_ isNamed: Bool) async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/a")
      do {
        let new = try write("new", to: "\(folder)/a", isNamed: isNamed)
        let error = #expect(throws: DroverError.self) { try new.replace() }
        #expect(error?.message == "replacing '\(folder)/a': Is a directory")
      }
      #expect(try Files.names(in: folder) == ["a"])
      let error = #expect(throws: DroverError.self) { try NewFile("\(folder)/none/a", mode: 0o600) }
      #expect(error?.code == .notFound)
    }
  }

  @Test("Processes that write the same files and are killed at any moment leave whole files, and nothing that stays")
  func killed() async throws {
    try await withTemporaryFolder { folder in
      let names = (0..<7).map { "file-\($0)" }
      for round in 0..<20 {
        let writers = try (0..<3).map { _ in try TestProcess(program: "file-writer", [folder, "\(names.count)"]) }
        for writer in writers { _ = writer.read(lines: Int.random(in: 1...3)) }
        usleep(.random(in: 0..<3000))
        for _ in 0..<200 { for name in names { try check("\(folder)/\(name)") } }
        for writer in writers { writer.kill() }
        for name in names { try check("\(folder)/\(name)") }
        let left = Set(try Files.names(in: folder)).subtracting(names)
        #expect(left.isSubset(of: names.map { ".\($0).drover-new" }), "round \(round)")
      }
      for name in names { try Files.replace("\(folder)/\(name)", with: "end") }
      #expect(try Files.names(in: folder) == names)
    }
  }

  /// Whether a file that `file-writer` wrote is whole.
  private func check(_ path: String) throws {
    // It is removed now and then.
    guard let file = try? OpenFile(reading: path) else { return }
    let bytes = try file.read(8192)
    let end = try #require(bytes.firstIndex(of: 0x0A), "\(path): \(bytes.count) bytes")
    let number = try #require(UInt8(String(decoding: bytes[..<end], as: UTF8.self)))
    #expect(!bytes[(end + 1)...].isEmpty && bytes[(end + 1)...].allSatisfy { $0 == number })
  }
}
