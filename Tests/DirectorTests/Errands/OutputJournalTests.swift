import Documents
import Formats
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Director

@Suite struct OutputJournalTests {
  private static let name = TaskOutput.journal(task: 1, .errand)
  private static let instances = ["web/a", "web/b", "web/c"]

  private func open(
    _ journals: any Journals, isFresh: Bool = false, spacing: Int64 = OutputJournal.spacing
  ) async throws -> OutputJournal {
    let output = TaskOutput(task: 1, journals: journals, surroundings: .system)
    return try await OutputJournal.open(output, isFresh: isFresh, spacing: spacing)
  }

  private func append(
    _ bytes: [UInt8], _ stream: String, of instance: String, to journal: OutputJournal
  ) async throws {
    let ends = journal.ends(of: instance)
    try await journal.append(
      ["data": .string(Base64.encode(bytes))], bytes.count, stream, of: instance,
      at: stream == "stdout" ? ends.stdout : ends.stderr)
  }

  /// Three instances print at once; journals that dawdle let their lines overtake each other.
  private func print(_ rounds: Int, seed: UInt64, _ journals: any Journals, isFresh: Bool, spacing: Int64) async throws
  {
    let journal = try await open(journals, isFresh: isFresh, spacing: spacing)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, instance) in Self.instances.enumerated() {
        group.addTask {
          var random = SeededRandom(seed: seed + UInt64(place))
          // The last one prints at the beginning only.
          for round in 0..<rounds where place < 2 || round < 2 {
            let bytes = [UInt8](repeating: 0x78, count: .random(in: 1...40, using: &random))
            try await append(bytes, Bool.random(using: &random) ? "stdout" : "stderr", of: instance, to: journal)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// What the whole lines come to, when those with positions are not looked at.
  private func ends(_ bytes: ArraySlice<UInt8>) throws -> [OutputPositions.Ends] {
    let whole = bytes.prefix((bytes.lastIndex(of: 0x0A) ?? -1) + 1)
    var positions = OutputPositions()
    for line in whole.split(separator: 0x0A) { positions.take(try JSON.parse(Array(line))) }
    return Self.instances.map { positions[$0] }
  }

  @Test("Wherever it is cut off, it is known how far the streams are", arguments: 1...3)
  func cuts(_ seed: UInt64) async throws {
    let journals = DawdlingJournals(MemoryJournals(), seed: seed)
    _ = try await journals.append(Self.name, Array("{\"instances\":[]}\n".utf8))
    try await print(12, seed: seed, journals, isFresh: true, spacing: 400)
    // A second server, which goes on after the first.
    try await print(12, seed: seed + 100, journals, isFresh: false, spacing: 400)
    let bytes = try await journals.read(Self.name, from: 0, limit: .max)
    let noted = String(decoding: bytes, as: UTF8.self).split(separator: "\n").count { $0.hasPrefix("{\"positions") }
    #expect(noted >= 3)
    for cut in 0...bytes.count {
      let rest = MemoryJournals()
      _ = try await rest.append(Self.name, Array(bytes[..<cut]))
      try await rest.mend(Self.name)
      let journal = try await open(rest)
      #expect(Self.instances.map { journal.ends(of: $0) } == (try ends(bytes[..<cut])), "seed \(seed), byte \(cut)")
    }
  }

  @Test("What is read after a restart is what was written last, however much there is")
  func cost() async throws {
    let journals = MemoryJournals()
    let journal = try await open(journals, isFresh: true)
    try await append([1], "stderr", of: "web/b", to: journal)
    let bytes = [UInt8](repeating: 0x79, count: 100_000)
    for _ in 0..<60 { try await append(bytes, "stdout", of: "web/a", to: journal) }
    let counted = CountedJournals(journals)
    let again = try await open(counted)
    #expect(again.ends(of: "web/a") == .init(stdout: 6_000_000, stderr: 0))
    #expect(again.ends(of: "web/b") == .init(stdout: 0, stderr: 1))
    #expect(try await journals.size(Self.name) ?? 0 > 8_000_000)
    #expect(counted.count < 4_000_000)
  }

  @Test("A journal without positions, of an older server, gets some with the next line")
  func older() async throws {
    let journals = MemoryJournals()
    let old = try await open(journals, isFresh: true, spacing: .max)
    for _ in 0..<40 { try await append([1, 2, 3], "stdout", of: "web/a", to: old) }
    let journal = try await open(journals, spacing: 1000)
    #expect(journal.ends(of: "web/a").stdout == 120)
    try await append([4], "stderr", of: "web/a", to: journal)
    let bytes = try await journals.read(Self.name, from: 0, limit: .max)
    let last = try #require(bytes.split(separator: 0x0A).last)
    let noted = try #require(OutputPositions.read(try JSON.parse(Array(last))))
    #expect(noted.positions["web/a"] == .init(stdout: 120, stderr: 1))
    #expect(try await JournalLines(journals: journals, name: Self.name).begins(at: noted.since))
  }

  @Test(
    "Positions that do not fit are as good as none",
    arguments: [
      "{\"positions\":{}}", "{\"positions\":[],\"since\":0}", "{\"positions\":{},\"since\":-1}",
      "{\"positions\":{},\"since\":\"0\"}", "{\"positions\":{},\"since\":7}", "{\"positions\":{},\"since\":100000}",
      "{\"positions\":{\"web/a\":{\"stdout\":1}},\"since\":0}", "{\"positions\":{\"web/a\":7},\"since\":0}",
    ])
  func damaged(_ line: String) async throws {
    let journals = MemoryJournals()
    let journal = try await open(journals, isFresh: true, spacing: .max)
    for _ in 0..<10 { try await append([1, 2, 3], "stdout", of: "web/a", to: journal) }
    _ = try await journals.append(Self.name, Array("\(line)\n".utf8))
    try await append([1, 2, 3], "stdout", of: "web/a", to: journal)
    #expect(try await open(journals).ends(of: "web/a") == .init(stdout: 33, stderr: 0))
  }

  @Test("Lines are found whatever the size of the pieces that they are read in", arguments: [1, 2, 3, 7, 12, 100])
  func pieces(_ piece: Int) async throws {
    let journals = MemoryJournals()
    let lines = ["{\"a\":1}", "", "{\"p\":1}", "x{\"p\":2}", "{\"p\":3}", "{\"b\":\"{\\\"p\\\":\"}", "{\"p"]
    _ = try await journals.append("log", Array((lines.joined(separator: "\n") + "\n{\"p\":no end").utf8))
    let log = JournalLines(journals: journals, name: "log", piece: piece)
    var found: [String] = []
    try await log.forEach { found.append(String(decoding: $0, as: UTF8.self)) }
    #expect(found == lines)
    let last = try #require(try await log.last(beginning: "{\"p\":"))
    #expect(String(decoding: last.bytes, as: UTF8.self) == "{\"p\":3}")
    #expect(last.start == Int64(lines[..<4].joined(separator: "\n").utf8.count + 1))
    #expect(try await log.begins(at: last.start))
    #expect(try await log.begins(at: 0))
    #expect(try await !log.begins(at: last.start + 1))
    #expect(try await log.last(beginning: "{\"q") == nil)
  }
}

/// Journals that are others with a difference: what is not written here is as theirs.
private protocol WrappedJournals: Journals {
  var journals: any Journals { get }
}

extension WrappedJournals {
  func append(_ name: String, _ bytes: [UInt8]) async throws -> Int64 { try await journals.append(name, bytes) }
  func read(_ name: String, from offset: Int64, limit: Int) async throws -> [UInt8] {
    try await journals.read(name, from: offset, limit: limit)
  }
  func size(_ name: String) async throws -> Int64? { try await journals.size(name) }
  func wait(_ name: String, beyond size: Int64) async throws -> Int64 { try await journals.wait(name, beyond: size) }
  func sync(_ name: String) async throws { try await journals.sync(name) }
  func mend(_ name: String) async throws { try await journals.mend(name) }
  func list(under path: String) async throws -> [String] { try await journals.list(under: path) }
  func remove(_ name: String) async throws { try await journals.remove(name) }
}

/// Journals whose appends take their time, before they are made and after.
private final class DawdlingJournals: WrappedJournals {
  let journals: any Journals
  private let random: Mutex<SeededRandom>

  init(_ journals: any Journals, seed: UInt64) {
    self.journals = journals
    random = Mutex(SeededRandom(seed: seed))
  }

  private func dawdle() async {
    for _ in 0..<random.withLock({ Int.random(in: 0...8, using: &$0) }) { await Task.yield() }
  }

  func append(_ name: String, _ bytes: [UInt8]) async throws -> Int64 {
    await dawdle()
    let size = try await journals.append(name, bytes)
    await dawdle()
    return size
  }
}

/// Journals that count the bytes that are read of them.
private final class CountedJournals: WrappedJournals {
  let journals: any Journals
  private let bytes = Mutex(0)

  init(_ journals: any Journals) { self.journals = journals }

  var count: Int { bytes.withLock { $0 } }

  func read(_ name: String, from offset: Int64, limit: Int) async throws -> [UInt8] {
    let read = try await journals.read(name, from: offset, limit: limit)
    bytes.withLock { $0 += read.count }
    return read
  }
}
