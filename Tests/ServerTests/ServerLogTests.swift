import Files
import Glibc
import Surroundings
import TestSupport
import Testing

@testable import Server

@Suite("ServerLog") struct ServerLogTests {
  @Test("while many write, the log is renamed many times, and each line is in one of the files once and whole")
  func rotating() async throws {
    try await withTemporaryFolder { folder in
      let descriptor = open("/dev/null", O_WRONLY)
      defer { close(descriptor) }
      let log = ServerLog(
        LogRotation(path: "\(folder)/log", size: 2000, keep: 10_000), descriptors: [descriptor], surroundings: .system
      )
      try log.begin()
      let looking = Task {
        while !Task.isCancelled {
          try log.look()
          try? await Task.sleep(for: .microseconds(200))
        }
      }
      let count = try await withThrowingTaskGroup(of: Int.self) { group in
        for writer in 0..<4 {
          group.addTask {
            var number = 0
            while try number < 1000 || !Files.exists("\(folder)/log.20") {
              let line = Array("line \(writer) \(number) \(String(repeating: "x", count: number % 90))\n".utf8)
              guard write(descriptor, line, line.count) == line.count else { throw CancellationError() }
              number += 1
              if number % 100 == 0 { try await Task.sleep(for: .milliseconds(1)) }
            }
            return number
          }
        }
        return try await group.reduce(0, +)
      }
      looking.cancel()
      try await looking.value
      let names = try Files.names(in: folder)
      let texts = try names.map { try Files.text("\(folder)/\($0)") ?? "" }
      #expect(texts.allSatisfy { $0.isEmpty || $0.hasSuffix("\n") })
      let lines = texts.joined().split(separator: "\n").map(String.init)
      #expect(lines.count == count)
      #expect(Set(lines).count == count)
    }
  }

  @Test("a log that somebody renamed or removed is opened anew, and one that was cut goes on from its beginning")
  func elsewhere() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/log"
      let descriptor = open("/dev/null", O_WRONLY)
      defer { close(descriptor) }
      func say(_ text: String) { _ = write(descriptor, Array(text.utf8), text.utf8.count) }
      let log = ServerLog(
        LogRotation(path: path, size: 1000, keep: 2), descriptors: [descriptor], surroundings: .system)
      try log.begin()
      say("one\n")
      #expect(rename(path, "\(folder)/moved") == 0)
      say("two\n")
      try log.look()
      say("three\n")
      #expect(try Files.text("\(folder)/moved") == "one\ntwo\n")
      #expect(try Files.text(path) == "three\n")
      try Files.remove(path)
      try log.look()
      say("four\n")
      #expect(truncate(path, 0) == 0)
      say("five\n")
      try log.look()
      #expect(try Files.text(path) == "five\n")
      #expect(try FileFacts(path)?.permissions == 0o600)
    }
  }
}
