import Archives
import Digests
import Files
import Formats
import Glibc
import TestSupport
import Testing

@Suite("Archives.unpack")
struct UnpackTests {
  private static func file(_ path: String) -> ArchiveEntry { ArchiveEntry(path: path, kind: .file, mode: 0o644) }
  private static func link(_ path: String, _ target: String) -> ArchiveEntry {
    ArchiveEntry(path: path, kind: .symbolicLink(target), mode: 0o777)
  }
  private static func hard(_ path: String, _ target: String) -> ArchiveEntry {
    ArchiveEntry(path: path, kind: .hardLink(target), mode: 0o644)
  }

  private static func write(_ entries: [ArchiveEntry], to path: String) throws {
    let writer = try ArchiveWriter(file: path)
    for entry in entries { try writer.add(entry, content: entry.kind == .file ? Array("content\n".utf8) : []) }
    try writer.finish()
  }

  private static func text(_ path: String) throws -> String {
    String(decoding: try OpenFile(reading: path).read(1 << 16, at: 0), as: UTF8.self)
  }

  @Test(
    "Hostile archives are refused by the entry's name, and nothing is left of them",
    arguments: [
      ("../evil", [file("ok"), file("../evil")]),
      ("/tmp/evil", [file("ok"), file("/tmp/evil")]),
      ("a/../../evil", [file("a/../../evil")]),
      ("out", [file("ok"), link("out", "/etc")]),
      ("d/out", [link("d/out", "../../x")]),
      ("d/up/evil", [link("d/up", ".."), file("d/up/evil")]),
      ("m", [link("a/b/up", "../.."), link("m", "a/b/up/..")]),
      ("hard", [hard("hard", "../../etc/passwd")]),
      ("hard", [hard("hard", "/etc/passwd")]),
      ("hard", [hard("hard", "missing")]),
      ("m", [link("a/b/up", "../.."), hard("m", "a/b/up")]),
      ("l/x", [link("l", "d"), hard("l/x", "d/y"), file("d/y")]),
      ("dev", [ArchiveEntry(path: "dev", kind: .characterDevice(major: 1, minor: 3), mode: 0o666)]),
      ("disk", [ArchiveEntry(path: "disk", kind: .blockDevice(major: 8, minor: 0), mode: 0o666)]),
      ("pipe", [ArchiveEntry(path: "pipe", kind: .fifo, mode: 0o666)]),
      ("d", [file("d/x"), file("d")]),
      ("x/y", [file("x"), file("x/y")]),
    ])
  func refuses(name: String, entries: [ArchiveEntry]) async throws {
    try await withTemporaryFolder { folder in
      try Self.write(entries, to: "\(folder)/a.tgz")
      let error = #expect(throws: DroverError.self) {
        try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/target")
      }
      #expect(error?.code == .invalid)
      #expect(error?.message.hasPrefix("\(folder)/a.tgz: entry '\(name)': ") == true, "\(String(describing: error))")
      #expect(try Files.names(in: folder) == ["a.tgz"])
    }
  }

  @Test("A folder that was there and empty is empty again after a refusal")
  func undo() async throws {
    try await withTemporaryFolder { folder in
      try Self.write([Self.file("a/b/c"), Self.file("../x")], to: "\(folder)/a.tgz")
      mkdir("\(folder)/target", 0o700)
      #expect(throws: DroverError.self) { try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/target") }
      #expect(try Files.names(in: "\(folder)/target").isEmpty)
    }
  }

  @Test("A folder that holds something is not touched")
  func occupied() async throws {
    try await withTemporaryFolder { folder in
      try Self.write([Self.file("a")], to: "\(folder)/a.tgz")
      mkdir("\(folder)/target", 0o700)
      mkdir("\(folder)/target/mine", 0o700)
      let error = #expect(throws: DroverError.self) {
        try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/target")
      }
      #expect(error?.code == .conflict)
      #expect(try Files.names(in: "\(folder)/target") == ["mine"])
    }
  }

  @Test("Size bombs are refused before they fill the disk")
  func bombs() async throws {
    try await withTemporaryFolder { folder in
      let writer = try ArchiveWriter(file: "\(folder)/a.tgz", compression: .gzip(level: 9))
      try writer.begin(ArchiveEntry(path: "zeros", kind: .file, size: 64 << 20, mode: 0o644))
      let chunk = [UInt8](repeating: 0, count: 1 << 20)
      for _ in 0..<64 { try writer.append(chunk) }
      try writer.finish()
      for limits in [ArchiveLimits(totalBytes: 1 << 20), ArchiveLimits(entries: 0)] {
        let error = #expect(throws: DroverError.self) {
          try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/target", limits: limits)
        }
        #expect(error?.code == .tooLarge)
        #expect(try Files.names(in: folder) == ["a.tgz"])
      }
    }
  }

  @Test("Links, modes, times and hard links arrive; set-user-id does not")
  func ordinary() async throws {
    try await withTemporaryFolder { folder in
      var tool = Self.file("./bin/tool")
      tool.mode = 0o4755
      tool.modifiedAt = 1_000_000
      try Self.write(
        [
          ArchiveEntry(path: "./", kind: .directory, mode: 0o755), tool, Self.hard("./bin/again", "./bin/tool"),
          Self.link("./lib/l", "../bin/tool"),
          ArchiveEntry(path: "./closed/", kind: .directory, mode: 0o500, modifiedAt: 5), Self.file("./closed/x"),
        ], to: "\(folder)/a.tgz")
      let unpacked = try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/t", hashing: [.sha256])
      #expect(unpacked.entries == 6)
      #expect(unpacked.digest.strongest?.hex.count == 64)
      var status = stat()
      #expect(lstat("\(folder)/t/bin/tool", &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o755)
      #expect(status.st_mtim.tv_sec == 1_000_000)
      #expect(status.st_nlink == 2)
      #expect(try Self.text("\(folder)/t/lib/l") == "content\n")
      #expect(lstat("\(folder)/t/closed", &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o500)
      #expect(status.st_mtim.tv_sec == 5)
    }
  }

  @Test("Packages may link anywhere, but nothing is written through a link")
  func packages() async throws {
    try await withTemporaryFolder { folder in
      mkdir("\(folder)/outside", 0o700)
      try Self.write([Self.link("out", "\(folder)/outside")], to: "\(folder)/a.tgz")
      try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/t", options: .package)
      try Self.write([Self.link("out", "\(folder)/outside"), Self.file("out/x")], to: "\(folder)/b.tgz")
      #expect(throws: DroverError.self) {
        try Archives.unpack("\(folder)/b.tgz", into: "\(folder)/u", options: .package)
      }
      #expect(try Files.names(in: "\(folder)/outside").isEmpty)
      #expect(try !Files.isFolder("\(folder)/u"))
    }
  }

  @Test("A damaged or cut archive is an error, and nothing is left")
  func damaged() async throws {
    try await withTemporaryFolder { folder in
      try Self.write((0..<200).map { Self.file("f\($0)") }, to: "\(folder)/a.tgz")
      let bytes = try OpenFile(reading: "\(folder)/a.tgz").read(1 << 20, at: 0)
      var flipped = bytes
      flipped[bytes.count / 2] ^= 0x55
      for (name, content) in [("cut", Array(bytes.dropLast(20))), ("flipped", flipped), ("empty", [])] {
        let file = try OpenFile(creating: "\(folder)/\(name)", mode: 0o600)
        try file.write(content)
        #expect(throws: DroverError.self) { try Archives.unpack("\(folder)/\(name)", into: "\(folder)/t") }
        #expect(try !Files.isFolder("\(folder)/t"))
      }
    }
  }

  @Test("What is packed unpacks to the same, and packs to the same bytes again")
  func roundTrip() async throws {
    try await withTemporaryFolder { folder in
      try Self.write(
        (0..<50).map { Self.file("d\($0 % 7)/\($0)") } + [Self.link("d1/l", "../d2")], to: "\(folder)/a.tgz")
      try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/one")
      let first = try Archives.pack("\(folder)/one", to: "\(folder)/1.tgz", options: .init(modifiedAt: 0))
      try Archives.unpack("\(folder)/1.tgz", into: "\(folder)/two")
      let second = try Archives.pack("\(folder)/two", to: "\(folder)/2.tgz", options: .init(modifiedAt: 0))
      #expect(first == second)
      #expect(first.entries == 50 + 1 + 7 + 1)
      let plain = try Archives.pack("\(folder)/two", to: "\(folder)/2.tar", options: .init(compression: .none))
      #expect(try Archives.check(ArchiveReader(file: "\(folder)/2.tar")).entries == plain.entries)
    }
  }

  @Test("Root file systems keep owners, special bits, devices and hard links", .enabled(if: geteuid() == 0))
  func rootFileSystem() async throws {
    try await withTemporaryFolder { folder in
      var tool = Self.file("./usr/bin/sudo")
      (tool.mode, tool.userID, tool.groupID) = (0o4755, 12, 34)
      try Self.write(
        [
          ArchiveEntry(path: "./", kind: .directory, mode: 0o751, userID: 1, groupID: 2), tool,
          Self.hard("./usr/bin/again", "./usr/bin/sudo"), Self.link("./bin", "/usr/bin"),
          ArchiveEntry(path: "./dev/null", kind: .characterDevice(major: 1, minor: 3), mode: 0o666),
        ], to: "\(folder)/a.tgz")
      try Archives.unpack("\(folder)/a.tgz", into: "\(folder)/t", options: .rootFileSystem)
      try Archives.pack("\(folder)/t", to: "\(folder)/b.tgz", options: .rootFileSystem)
      let reader = try ArchiveReader(file: "\(folder)/b.tgz")
      var found: [String: ArchiveEntry] = [:]
      while let entry = try reader.next() { found[entry.name] = entry }
      #expect(found[""]?.mode == 0o751)
      #expect(found[""]?.userID == 1)
      #expect(found["usr/bin/again"]?.mode == 0o4755)
      #expect(found["usr/bin/again"]?.userID == 12)
      #expect(found["usr/bin/sudo"]?.kind == .hardLink("./usr/bin/again"))
      #expect(found["bin"]?.kind == .symbolicLink("/usr/bin"))
      #expect(found["dev/null"]?.kind == .characterDevice(major: 1, minor: 3))
    }
  }
}
