import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Agent

/// Blobs, archives, control files and disks that are not as they should be: the task says why, the agent is alive,
/// nothing is half-installed, and the same spec with good content applies afterwards.
@Suite struct BadContentTests {
  /// What is wrong with a package's blob, and a part of what the task says.
  enum Flaw: String, CaseIterable {
    case digest, cut, noArchive, leavesFolder, absolutePath, linkOutside, missing

    func spoil(_ spec: inout ApplySpec, _ folder: String) throws {
      let path = "\(folder)/blobstore/\(spec.packages[0].blobstoreID)"
      func replace(_ bytes: [UInt8]) throws {
        try Files.replace(path, with: bytes)
        spec.packages[0].sha1 = DigestHasher.hex(.sha1, bytes)
      }
      func archive(_ entries: [ArchiveEntry]) throws {
        let writer = try ArchiveWriter(file: path, compression: .gzip(level: 1), hashing: [.sha1])
        for entry in entries { try writer.add(entry, content: entry.kind == .file ? [1] : []) }
        spec.packages[0].sha1 = try writer.finish().description
      }
      switch self {
      case .digest: spec.packages[0].sha1 = String(repeating: "0", count: 40)
      case .cut: try replace(Array(Files.read(path).dropLast(20)))
      case .noArchive: try replace(Array("no archive at all".utf8))
      case .leavesFolder: try archive([ArchiveEntry(path: "../../../evil", kind: .file, size: 1, mode: 0o644)])
      case .absolutePath: try archive([ArchiveEntry(path: "\(folder)/evil", kind: .file, size: 1, mode: 0o644)])
      case .linkOutside:
        try archive([
          ArchiveEntry(path: "out", kind: .symbolicLink(folder), mode: 0o777),
          ArchiveEntry(path: "out/evil", kind: .file, size: 1, mode: 0o644),
        ])
      case .missing: try Files.remove(path)
      }
    }
  }

  @Test("a package that is not what it should be is not installed", arguments: Flaw.allCases)
  func package(flaw: Flaw) async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let good = try Self.spec(test.folder)
      var bad = good
      try flaw.spoil(&bad, test.folder)
      let text = try await test.failure("apply", bad.value)
      #expect(text.contains("installing package tool: "), "\(text)")
      if flaw == .digest {
        let was = try DigestHasher.hex(.sha1, Files.read("\(test.folder)/blobstore/\(good.packages[0].blobstoreID)"))
        #expect(text.contains("Expected stream to have digest '\(bad.packages[0].sha1)' but was '\(was)'"), "\(text)")
      }
      try await test.expectAlive()
      #expect(try !Files.exists("\(test.folder)/evil"))
      #expect(try Files.names(in: "\(test.base)/data/packages/tool") == [])
      #expect(try Files.names(in: "\(test.base)/data/tmp") == [])
      #expect(try AgentState(await test.call("get_state")).spec == ApplySpec())
      let again = try Self.spec(test.folder)
      #expect(try await test.call("apply", again.value) == "applied")
      #expect(Files.textIfPresent("\(test.base)/packages/tool/data") == "content")
    }
  }

  @Test("a full disk fails the task with its reason; with room again the same request succeeds")
  func fullDisk() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let data = "\(test.base)/data/packages"
      try Files.makeFolder(data)
      guard mount("tmpfs", data, "tmpfs", 0, "size=64k") == 0 else {
        throw systemError("mounting a small disk")
      }
      defer { umount2(data, Int32(MNT_DETACH)) }
      let spec = try Self.spec(test.folder, content: Self.noise(400_000))
      let text = try await test.failure("apply", spec.value)
      #expect(text.contains("No space left on device"), "\(text)")
      try await test.expectAlive()
      #expect(try Files.names(in: "\(data)/tool") == [])
      #expect(try Files.names(in: "\(test.base)/data/tmp") == [])
      #expect(umount2(data, 0) == 0)
      #expect(try await test.call("apply", spec.value) == "applied")
    }
  }

  @Test("with no room for the agent's own files, requests fail and pings are answered; with room all is well again")
  func fullStateDisk() async throws {
    try await AgentProcess.with { test in
      let bosh = "\(test.base)/bosh"
      let kept = try Files.names(in: bosh).map { ($0, try Files.read("\(bosh)/\($0)")) }
      guard mount("tmpfs", bosh, "tmpfs", 0, "size=256k") == 0 else {
        throw systemError("mounting a small disk")
      }
      defer { umount2(bosh, Int32(MNT_DETACH)) }
      for (name, bytes) in kept { try Files.replace("\(bosh)/\(name)", with: bytes) }
      try await test.start()
      let spec = try Self.spec(test.folder)
      let filler = "\(bosh)/filler"
      try Self.fill(filler)
      let text = try await test.failure("apply", spec.value)
      #expect(text.contains("Action Failed") && text.contains("No space left on device"), "\(text)")
      try await test.expectAlive()
      try Files.remove(filler)
      #expect(try await test.call("apply", spec.value) == "applied")
    }
  }

  @Test("a mistake in a monit file fails the start with job, file, line and column, and concerns no other job")
  func controlFile() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let pidfile = "\(test.base)/sys/run/web/web.pid"
      let web = """
        check process web with pidfile \(pidfile)
          start program "\(test.base)/jobs/web/bin/ctl start"
          stop program "\(test.base)/jobs/web/bin/ctl stop"
          group vcap

        """
      let ctl = """
        #!/bin/bash
        case $1 in
          start) setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! > \(pidfile) ;;
          stop) kill $(cat \(pidfile)); rm -f \(pidfile) ;;
        esac

        """
      let bad = "check process db with pidfile /run/db.pid\n  group vcap\n  start programm /bin/true\n"
      var spec = try Self.spec(
        test.folder, jobs: [("web", ["monit": web, "bin/ctl": ctl]), ("db", ["monit": bad])])
      #expect(try await test.call("apply", spec.value) == "applied")
      let text = try await test.failure("start")
      #expect(
        text.contains(
          "reading the monit file of job db: \(test.base)/monit/job/0000_db.monitrc line 3, column 9: found 'programm'; "
            + "expected the start program by its absolute path"), "\(text)")
      try await test.expectAlive()
      try await waitFor(true) { try Pidfile(pidfile).process() != nil }
      let processes = try AgentState(await test.call("get_state")).processes.map(\.name)
      #expect(processes == ["web"])
      // Set right, it starts as well.
      spec = try Self.spec(
        test.folder,
        jobs: [("web", ["monit": web, "bin/ctl": ctl]), ("db", ["monit": "# nothing to supervise\n"])],
        content: "right")
      #expect(try await test.call("apply", spec.value) == "applied")
      #expect(try await test.call("start") == "started")
      #expect(try await test.call("stop") == "stopped")
      #expect(try Pidfile(pidfile).process() == nil)
    }
  }

  // MARK: Material

  static func spec(
    _ folder: String, jobs: [(name: String, files: [String: String])] = [("web", ["monit": ""])],
    content: String = "content"
  ) throws -> ApplySpec {
    let files = jobs.flatMap { job in job.files.map { ("\(job.name)/\($0.key)", $0.value) } }
    let archive = try TestRelease.blob(Dictionary(uniqueKeysWithValues: files), "rendered", folder: folder)
    let package = try TestRelease.blob(["data": content], "tool-blob", folder: folder)
    var spec = ApplySpec(deployment: "dep", name: "group", id: "inst-1", index: 0)
    spec.job = ApplySpec.Job(
      name: "group", template: jobs[0].name, templates: jobs.map { .init(name: $0.name, version: "1") })
    spec.networks = ["default": ["ip": "10.0.0.9"]]
    spec.configurationHash = "hash"
    spec.renderedTemplatesArchive = .init(sha1: archive, blobstoreID: "rendered")
    spec.packages = [.init(name: "tool", version: "1", sha1: package, blobstoreID: "tool-blob")]
    return spec
  }

  /// Text that does not shrink much.
  private static func noise(_ count: Int) -> String {
    var random = SeededRandom(seed: 1)
    return String(decoding: (0..<count).map { _ in UInt8.random(in: 32..<127, using: &random) }, as: UTF8.self)
  }

  /// Writes until there is no room left.
  private static func fill(_ path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    guard file >= 0 else { throw systemError("filling a disk") }
    defer { close(file) }
    let block = [UInt8](repeating: 1, count: 4096)
    while write(file, block, block.count) > 0 {}
  }
}
