import Archives
import Digests
import Files
import Formats
import Glibc
import ReleaseFiles
import Releases
import TestSupport
import Testing

@Suite("ReleaseTarball")
struct ReleaseTarballTests {
  @Test("A tarball that the stock command line made is read and checked")
  func stock() async throws {
    try await withTemporaryFolder { folder in
      let release = try ReleaseTarball.open(SampleRelease.tarball, scratch: "\(folder)/scratch")
      #expect(SampleRelease.fingerprints(of: release.manifest) == SampleRelease.fingerprints)
      #expect(release.jobs.map(\.spec.name) == ["empty", "web"])
      #expect(release.jobs[1].spec.properties.first?.defaultValue == 8080)
      #expect(release.packages.allSatisfy { $0.archive != nil })
      #expect(try ReleaseTarball.manifest(of: SampleRelease.tarball) == release.manifest)
      let job = try JobArchive(release.jobs[1].archive.path)
      #expect(job.template("shared.erb") == Array("shared\n".utf8))
      #expect(job.monit?.isEmpty == false)
    }
  }

  /// Rewrites the sample: what `change` returns nil for is left out.
  private func rewrite(
    to path: String, prefix: String = "", _ change: (String, [UInt8]) throws -> [UInt8]?
  ) throws {
    let reader = try ArchiveReader(file: SampleRelease.tarball)
    let writer = try ArchiveWriter(file: path, compression: .none)
    while let entry = try reader.next() {
      guard entry.kind == .file else { continue }
      guard let content = try change(entry.name, reader.readAll(atMost: 1 << 20)) else { continue }
      try writer.add(ArchiveEntry(path: prefix + entry.name, kind: .file, mode: 0o600), content: content)
    }
    try writer.finish()
  }

  @Test("Paths may begin with ./, the archive may be plain, and packages may be left out")
  func variants() async throws {
    try await withTemporaryFolder { folder in
      try rewrite(to: "\(folder)/r.tar", prefix: "./") { name, content in name == "packages/app.tgz" ? nil : content }
      let release = try ReleaseTarball.open("\(folder)/r.tar", scratch: "\(folder)/scratch")
      #expect(release.packages.map { $0.archive == nil } == [true, false])
      #expect(release.packages.map(\.name) == ["app", "base"])
    }
  }

  /// A job's archive of these files.
  private func jobArchive(_ files: [(ArchiveEntry, String)], in folder: String) throws -> [UInt8] {
    let writer = try ArchiveWriter(file: "\(folder)/job.tgz")
    for (entry, text) in files { try writer.add(entry, content: entry.kind == .file ? Array(text.utf8) : []) }
    try writer.finish()
    return try OpenFile(reading: "\(folder)/job.tgz").read(1 << 20, at: 0)
  }

  private static func file(_ path: String) -> ArchiveEntry { ArchiveEntry(path: path, kind: .file, mode: 0o644) }

  @Test(
    "What is wrong with a job is said by archive, file and field, and nothing is left",
    arguments: [
      (
        [(file("job.MF"), "name: other"), (file("monit"), "")],
        "jobs/web.tgz: job.MF: name: is 'other', but the release calls the job 'web'"
      ),
      ([(file("job.MF"), "name: web")], "jobs/web.tgz: has no file monit"),
      ([(file("monit"), "")], "jobs/web.tgz: has no job.MF"),
      (
        [(file("job.MF"), "name: web\ntemplates: {a: b}"), (file("monit"), "")],
        "jobs/web.tgz: job.MF: templates.a: there is no file templates/a"
      ),
      (
        [(file("job.MF"), "name: web\npackages: [none]"), (file("monit"), "")],
        "jobs/web.tgz: job.MF: job 'web' needs package 'none'"
      ),
      (
        [(file("job.MF"), "name: web\ntemplates: {a: bin/run}"), (file("monit"), ""), (file("errand.MF"), "")],
        "jobs/web.tgz: job.MF: templates: none of them becomes 'execute'"
      ),
      ([(file("job.MF"), "name: [web]"), (file("monit"), "")], "jobs/web.tgz: job.MF: name: expected a string"),
      ([(file("job.MF"), "name: web"), (file("../monit"), "")], "jobs/web.tgz: entry '../monit'"),
      (
        [(ArchiveEntry(path: "job.MF", kind: .symbolicLink("/etc/passwd"), mode: 0o777), "")],
        "jobs/web.tgz: entry 'job.MF': a job's archive holds only files and folders"
      ),
    ] as [([(ArchiveEntry, String)], String)])
  func badJobs(files: [(ArchiveEntry, String)], message: String) async throws {
    try await withTemporaryFolder { folder in
      let archive = try jobArchive(files, in: folder)
      try rewrite(to: "\(folder)/r.tgz") { name, content in
        if name == "jobs/web.tgz" { return archive }
        guard name == "release.MF" else { return content }
        var manifest = try ReleaseManifest(content)
        let index = try #require(manifest.jobs.firstIndex { $0.name == "web" })
        manifest.jobs[index].digest = MultiDigest(.sha256, hex: DigestHasher.hex(.sha256, archive))
        return Array(manifest.text.utf8)
      }
      try expectRefusal(of: "\(folder)/r.tgz", in: folder, message)
    }
  }

  private func expectRefusal(of tarball: String, in folder: String, _ message: String) throws {
    let error = #expect(throws: DroverError.self) {
      try ReleaseTarball.open(tarball, scratch: "\(folder)/scratch")
    }
    #expect(error?.description.hasPrefix("\(tarball): \(message)") == true, "\(String(describing: error))")
    #expect(try !Files.isFolder("\(folder)/scratch"))
  }

  @Test("A wrong digest, a missing job and a missing manifest are refused")
  func badTarballs() async throws {
    try await withTemporaryFolder { folder in
      try rewrite(to: "\(folder)/a") { name, content in name == "packages/app.tgz" ? content + [0] : content }
      try expectRefusal(of: "\(folder)/a", in: folder, "packages/app.tgz: Expected stream to have digest 'sha256:")
      try rewrite(to: "\(folder)/b") { name, content in name == "jobs/web.tgz" ? nil : content }
      try expectRefusal(
        of: "\(folder)/b", in: folder, "release.MF lists job 'web', but jobs/web.tgz is not in the tarball")
      try rewrite(to: "\(folder)/c") { name, content in name == "release.MF" ? nil : content }
      try expectRefusal(of: "\(folder)/c", in: folder, "has no release.MF")
      try rewrite(to: "\(folder)/d") { name, content in name == "release.MF" ? Array("a: b: c".utf8) : content }
      try expectRefusal(of: "\(folder)/d", in: folder, "release.MF line 1 column 5")
    }
  }

  @Test("A package that would write outside is refused")
  func hostilePackage() async throws {
    try await withTemporaryFolder { folder in
      let archive = try jobArchive(
        [(ArchiveEntry(path: "x", kind: .symbolicLink("../../etc"), mode: 0o777), "")], in: folder)
      try rewrite(to: "\(folder)/r.tgz") { name, content in
        if name == "packages/app.tgz" { return archive }
        guard name == "release.MF" else { return content }
        var manifest = try ReleaseManifest(content)
        let index = try #require(manifest.packages.firstIndex { $0.name == "app" })
        manifest.packages[index].digest = MultiDigest(.sha256, hex: DigestHasher.hex(.sha256, archive))
        return Array(manifest.text.utf8)
      }
      try expectRefusal(of: "\(folder)/r.tgz", in: folder, "packages/app.tgz: entry 'x': the link to '../../etc'")
    }
  }

  @Test("Tarballs with devices, links or absolute paths are refused")
  func hostileTarballs() async throws {
    try await withTemporaryFolder { folder in
      for (index, entry) in [
        ArchiveEntry(path: "/etc/x", kind: .file, mode: 0o644), ArchiveEntry(path: "../x", kind: .file, mode: 0o644),
        ArchiveEntry(path: "jobs/web.tgz", kind: .symbolicLink("/etc/passwd"), mode: 0o777),
        ArchiveEntry(path: "dev", kind: .blockDevice(major: 8, minor: 0), mode: 0o600),
      ].enumerated() {
        let writer = try ArchiveWriter(file: "\(folder)/\(index).tgz")
        try writer.add(entry)
        try writer.finish()
        try expectRefusal(of: "\(folder)/\(index).tgz", in: folder, "entry '\(entry.path)'")
      }
    }
  }
}

@Suite("StemcellTarball")
struct StemcellTarballTests {
  @Test("A stemcell is read, its image checked")
  func opens() async throws {
    try await withTemporaryFolder { folder in
      for isRight in [true, false] {
        let image = Array("image".utf8)
        let hex = isRight ? DigestHasher.hex(.sha1, image) : String(repeating: "0", count: 40)
        let manifest = StemcellManifest(
          name: "s", version: "1", digest: MultiDigest(.sha1, hex: hex), operatingSystem: "os", formats: [],
          cloudProperties: [:])
        let path = "\(folder)/\(isRight).tgz"
        let writer = try ArchiveWriter(file: path)
        try writer.add(
          ArchiveEntry(path: "stemcell.MF", kind: .file, mode: 0o644), content: Array(manifest.text.utf8))
        try writer.add(ArchiveEntry(path: "image", kind: .file, mode: 0o644), content: image)
        try writer.finish()
        #expect(try StemcellTarball.manifest(of: path) == manifest)
        if isRight {
          let opened = try StemcellTarball.open(path, scratch: "\(folder)/ok")
          #expect(opened.image.size == 5)
          #expect(try Files.names(in: "\(folder)/ok") == ["image"])
        } else {
          #expect(throws: DroverError.self) { try StemcellTarball.open(path, scratch: "\(folder)/bad") }
          #expect(try !Files.isFolder("\(folder)/bad"))
        }
      }
    }
  }
}
