import Formats
import TestSupport
import Testing

@testable import Archives

@Suite("Tar headers")
struct TarHeaderTests {
  @Test(
    "Entries survive being written and read",
    arguments: [
      ArchiveEntry(path: "a", kind: .file, size: 3, mode: 0o644, userID: 1, groupID: 2, modifiedAt: 1_700_000_000),
      ArchiveEntry(path: "./d/", kind: .directory, mode: 0o1777),
      ArchiveEntry(path: String(repeating: "d/", count: 60) + "name", kind: .file, mode: 0o600),
      ArchiveEntry(path: String(repeating: "x", count: 250), kind: .file, mode: 0o600),
      ArchiveEntry(path: String(repeating: "long/", count: 200) + "x", kind: .symbolicLink("y"), mode: 0o777),
      ArchiveEntry(path: "l", kind: .symbolicLink(String(repeating: "t", count: 300)), mode: 0o777),
      ArchiveEntry(path: "h", kind: .hardLink("other"), mode: 0o644),
      ArchiveEntry(path: "dev/null", kind: .characterDevice(major: 1, minor: 3), mode: 0o666),
      ArchiveEntry(path: "fifo", kind: .fifo, mode: 0o600),
      ArchiveEntry(path: "Főtanúsítvány", kind: .file, mode: 0o644, userID: 5_000_000, groupID: 3_000_000),
      ArchiveEntry(path: "old", kind: .file, mode: 0o644, modifiedAt: -5),
    ])
  func roundTrip(entry: ArchiveEntry) throws {
    var bytes = TarEncoder.blocks(entry).flatMap { $0 }
    bytes += [UInt8](repeating: 0, count: entry.size + TarHeader.padding(after: entry.size) + 1024)
    let reader = try ArchiveReader(bytes: bytes)
    #expect(try reader.next() == entry)
    #expect(try reader.next() == nil)
  }

  @Test("Sizes beyond what octal digits can say are written and read")
  func huge() throws {
    let entry = ArchiveEntry(path: "big", kind: .file, size: 1 << 40, mode: 0o644)
    let reader = try ArchiveReader(bytes: TarEncoder.blocks(entry).flatMap { $0 })
    #expect(try reader.next()?.size == 1 << 40)
    #expect(throws: DroverError.self) { try reader.next() }
  }

  @Test("Numbers in base 256 are read")
  func base256() throws {
    #expect(try TarHeader.number([0x80, 0, 0, 0, 0, 0, 1, 0], "x") == 256)
    #expect(throws: DroverError.self) { try TarHeader.number([0xFF, 0xFF, 0xFF, 0xFF], "x") }
    #expect(try TarHeader.number([0xFF, 0xFF, 0xFF, 0xFE], "x", mayBeNegative: true) == -2)
    #expect(throws: DroverError.self) { try TarHeader.number([0xBF] + [UInt8](repeating: 0xFF, count: 11), "x") }
  }

  @Test("Pax records survive, also where the length counts itself")
  func pax() throws {
    for length in 80...120 {
      let value = String(repeating: "v", count: length)
      let records = try PaxRecords.parse(PaxRecords.bytes([("path", value), ("size", "1")]))
      #expect(records.map(\.key) == ["path", "size"])
      #expect(records[0].value == Array(value.utf8))
    }
    for text in ["5 a", "99 path=x\n", "x path=x\n", "0 =\n", "7 ab=c\u{0}", "-1 a=b\n"] {
      #expect(throws: DroverError.self) { try PaxRecords.parse(Array(text.utf8)) }
    }
  }

  @Test("Damaged archives give an error or entries, never more", arguments: 0..<400)
  func fuzz(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var bytes: [UInt8] = []
    for number in 0..<5 {
      let path = String(repeating: "p", count: 20 + 60 * number)
      bytes += TarEncoder.blocks(ArchiveEntry(path: path, kind: .file, size: 600, mode: 0o644)).flatMap { $0 }
      bytes += [UInt8](repeating: 7, count: 1024)
    }
    bytes += [UInt8](repeating: 0, count: 1024)
    for _ in 0..<Int.random(in: 1..<8, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      if Bool.random(using: &random) { bytes[place] = .random(in: .min ... .max, using: &random) }
      if Int.random(in: 0..<6, using: &random) == 0 { bytes.removeLast(min(bytes.count, place)) }
      if bytes.isEmpty { return }
    }
    do {
      try Archives.check(ArchiveReader(bytes: bytes, label: "x.tar", limits: .small))
    } catch let error as DroverError {
      #expect(error.message.hasPrefix("x.tar"))
    }
  }
}
