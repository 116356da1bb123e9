import Documents
import Formats
import Glibc
import TestSupport
import Testing

/// The drivers of journals that pass the same tests.
enum JournalDriver: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case memory, file

  var testDescription: String { rawValue }

  func withJournals(_ test: (any Journals) async throws -> Void) async throws {
    switch self {
    case .memory: try await test(MemoryJournals())
    case .file: try await withTemporaryFolder { try await test(try FileJournals(folder: "\($0)/journals")) }
    }
  }
}

@Suite("Journals") struct JournalsTests {
  @Test("records are appended and read by range", arguments: JournalDriver.allCases)
  func appendAndRead(_ driver: JournalDriver) async throws {
    try await driver.withJournals { journals in
      #expect(try await journals.size("tasks/1/event") == nil)
      #expect(try await journals.read("tasks/1/event", from: 0, limit: 10) == [])
      #expect(try await journals.append("tasks/1/event", Array("one\n".utf8)) == 4)
      #expect(try await journals.append("tasks/1/event", Array("two\n".utf8)) == 8)
      #expect(try await journals.size("tasks/1/event") == 8)
      #expect(try await journals.read("tasks/1/event", from: 0, limit: 100) == Array("one\ntwo\n".utf8))
      #expect(try await journals.read("tasks/1/event", from: 2, limit: 3) == Array("e\nt".utf8))
      #expect(try await journals.read("tasks/1/event", from: 8, limit: 3) == [])
      #expect(try await journals.read("tasks/1/event", from: 800, limit: 3) == [])
      #expect(try await journals.read("tasks/1/event", from: -1, limit: 3) == [])
      try await journals.sync("tasks/1/event")
    }
  }

  @Test("concurrent appends are whole, none is lost", arguments: JournalDriver.allCases)
  func concurrent(_ driver: JournalDriver) async throws {
    try await driver.withJournals { journals in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<8 {
          group.addTask {
            for number in 0..<50 {
              try await journals.append(
                "log", Array("\(writer) \(number) \(String(repeating: "x", count: 100))\n".utf8))
            }
          }
        }
        try await group.waitForAll()
      }
      let text = String(decoding: try await journals.read("log", from: 0, limit: 1 << 20), as: UTF8.self)
      let lines = text.split(separator: "\n")
      #expect(lines.count == 400)
      #expect(Set(lines).count == 400)
      #expect(lines.allSatisfy { $0.hasSuffix(String(repeating: "x", count: 100)) })
    }
  }

  @Test("many followers see everything as it grows", arguments: JournalDriver.allCases)
  func followers(_ driver: JournalDriver) async throws {
    try await driver.withJournals { journals in
      let lines = (0..<30).map { "line \($0)\n" }
      let size = Int64(lines.joined().utf8.count)
      let followers = Task {
        try await withThrowingTaskGroup(of: String.self) { group in
          for _ in 0..<300 {
            group.addTask {
              var seen: [UInt8] = []
              while Int64(seen.count) < size {
                _ = try await journals.wait("tasks/1/debug", beyond: Int64(seen.count))
                seen += try await journals.read("tasks/1/debug", from: Int64(seen.count), limit: 64)
              }
              return String(decoding: seen, as: UTF8.self)
            }
          }
          return try await group.reduce(into: Set()) { $0.insert($1) }
        }
      }
      for line in lines { try await journals.append("tasks/1/debug", Array(line.utf8)) }
      #expect(try await followers.value == [lines.joined()])
    }
  }

  @Test("a wait ends by removal and by cancellation", arguments: JournalDriver.allCases)
  func waiting(_ driver: JournalDriver) async throws {
    try await driver.withJournals { journals in
      try await journals.append("tasks/1/event", Array("one\n".utf8))
      // Already there: no wait at all.
      #expect(try await journals.wait("tasks/1/event", beyond: 3) == 4)
      let cancelled = Task { try await journals.wait("tasks/1/event", beyond: 4) }
      cancelled.cancel()
      await #expect(throws: CancellationError.self) { try await cancelled.value }
      let waiting = Task { try await journals.wait("tasks/1/event", beyond: 4) }
      let remover = Task {
        while !Task.isCancelled {
          try await journals.remove("tasks/1")
          try await Task.sleep(for: .milliseconds(1))
          // Whether it waited already is not known: it is there again, and removed again, until it did.
          try await journals.append("tasks/1/event", Array("one\n".utf8))
        }
      }
      #expect([0, 4].contains(try await waiting.value))
      remover.cancel()
    }
  }

  @Test("mending cuts a line that was not finished", arguments: JournalDriver.allCases)
  func mending(_ driver: JournalDriver) async throws {
    try await driver.withJournals { journals in
      for (text, rest) in [
        ("one\ntwo\nthr", 8), ("one\n", 4), ("o", 0), ("a\n" + String(repeating: "x", count: 200_000), 2),
      ] {
        try await journals.append("log", Array(text.utf8))
        try await journals.mend("log")
        #expect(try await journals.size("log") == Int64(rest))
        try await journals.remove("log")
      }
      try await journals.mend("nothing")
      #expect(try await journals.size("nothing") == nil)
    }
  }

  @Test("journals are listed and removed under a path", arguments: JournalDriver.allCases)
  func removing(_ driver: JournalDriver) async throws {
    try await driver.withJournals { journals in
      for name in ["tasks/1/event", "tasks/1/debug", "tasks/10/event", "log"] { try await journals.append(name, [1]) }
      #expect(try await journals.list(under: "tasks/1") == ["tasks/1/debug", "tasks/1/event"])
      #expect(try await journals.list(under: "") == ["log", "tasks/1/debug", "tasks/1/event", "tasks/10/event"])
      try await journals.remove("tasks/1")
      try await journals.remove("tasks/1")
      #expect(try await journals.list(under: "") == ["log", "tasks/10/event"])
    }
  }

  @Test(
    "a name cannot leave its place", arguments: JournalDriver.allCases,
    ["", "/", "../x", "a/../b", "a//b", "/etc/passwd", ".hidden", "a/", "a b", "a\u{0}b", "é"])
  func names(_ driver: JournalDriver, _ name: String) async throws {
    try await driver.withJournals { journals in
      let error = await #expect(throws: DroverError.self) { try await journals.append(name, [1]) }
      #expect(error?.code == .invalid)
      await #expect(throws: DroverError.self) { try await journals.read(name, from: 0, limit: 1) }
      await #expect(throws: DroverError.self) { try await journals.remove(name) }
    }
  }

  @Test("an append that does not fit on the disk is taken back, and the error says so", .enabled(if: geteuid() == 0))
  func fullDisk() async throws {
    try await withSmallDisk(kilobytes: 64) { folder in
      let journals = try FileJournals(folder: folder)
      try await journals.append("log", Array("one\n".utf8))
      let error = await #expect(throws: DroverError.self) {
        try await journals.append("log", [UInt8](repeating: 0x78, count: 200_000))
      }
      #expect(error?.message.contains("the disk is full") == true)
      #expect(try await journals.read("log", from: 0, limit: 100) == Array("one\n".utf8))
    }
  }

  @Test("journals are there after reopening")
  func reopening() async throws {
    try await withTemporaryFolder { folder in
      try await FileJournals(folder: folder).append("tasks/1/event", Array("one\n".utf8))
      let again = try FileJournals(folder: folder)
      #expect(try await again.append("tasks/1/event", Array("two\n".utf8)) == 8)
    }
  }
}
