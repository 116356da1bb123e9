import Documents
import Glibc
import Surroundings
import TestSupport
import Testing

@testable import Director

@Suite(.enabled(if: getuid() == 0, "needs root: it mounts a small disk"))
struct FullDiskTests {
  @Test("What a task prints waits for room on a full disk, and is there once and in order then")
  func waits() async throws {
    try await withSmallDisk(kilobytes: 256) { disk in
      let journals = try FileJournals(folder: "\(disk)/journals")
      let output = TaskOutput(task: 1, journals: journals, surroundings: .system)
      _ = try await journals.append("other", Array(repeating: 65, count: 100_000))
      let lines = (0..<100).map { "{\"number\": \($0), \"text\": \"\(String(repeating: "x", count: 4000))\"}\n" }
      let writer = Task {
        for line in lines { _ = try await output.errand(Array(line.utf8)) }
      }
      // It does not come to its end, since a quarter of all this has no room.
      let name = TaskOutput.journal(task: 1, .errand)
      while try await journals.size(name) ?? 0 < 100_000 { try await Task.sleep(for: .milliseconds(5)) }
      try await Task.sleep(for: .milliseconds(200))
      #expect(try await journals.size(name) ?? 0 < 200_000)
      #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=2048k") == 0)
      try await writer.value
      #expect(try await journals.read(name, from: 0, limit: .max) == Array(lines.joined().utf8))
    }
  }
}
