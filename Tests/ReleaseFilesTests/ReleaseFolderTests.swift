import Archives
import Files
import Formats
import Glibc
import ReleaseFiles
import Releases
import TestSupport
import Testing

/// The release folder of the fixtures, and what the stock command line (7.9.0) makes of it.
enum SampleRelease {
  static let folder = String(#filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures")
  static let source = folder + "/sample-release"
  static let tarball = folder + "/sample-release-by-bosh.tgz"

  static let fingerprints = [
    "job empty": "3c6f14e0bca817c60ea9c6699df7c9842a0404a5eb65ff084b819e4bbdc41610",
    "job web": "056e68f63a3af58b33e1c575aebda393b7b4a78d0b8c682cd5e62ae5d2ed2f52",
    "package app": "a8c35995f1ffb93048e4c51f0606e65a9a7a81c1b557934ff9c6f013c731d7a9",
    "package base": "727f18a26679fa8f94ca85ac055b8a42b46d2e798ab3336dd19024de5dd59254",
    "license": "094b6b2b49f4de66511cbf117397c0a175feadb003b538b14dbdba0abcd195bb",
  ]

  static func fingerprints(of manifest: ReleaseManifest) -> [String: String] {
    var found: [String: String] = [:]
    for job in manifest.jobs { found["job \(job.name)"] = job.fingerprint }
    for package in manifest.packages { found["package \(package.name)"] = package.fingerprint }
    found["license"] = manifest.license?.fingerprint
    return found
  }

  /// A copy that a test may change.
  static func copy(to path: String) throws -> ReleaseFolder {
    try Archives.pack(source, to: path + ".tar", options: .init(compression: .none))
    try Archives.unpack(path + ".tar", into: path, options: .package)
    return try ReleaseFolder(path)
  }
}

@Suite("ReleaseFolder")
struct ReleaseFolderTests {
  @Test("Fingerprints are those of the stock command line, versions count up, archives do not change")
  func creates() async throws {
    try await withTemporaryFolder { folder in
      let release = try SampleRelease.copy(to: "\(folder)/sample")
      #expect(release.name == "sample")
      let first = try await release.create(.init(tarball: "\(folder)/((name))-((version)).tgz"), entryID: "one")
      #expect(first.tarball == "\(folder)/sample-0+dev.1.tgz")
      #expect(first.manifest.commitHash == "non-git")
      #expect(SampleRelease.fingerprints(of: first.manifest) == SampleRelease.fingerprints)
      let second = try await release.create(.init(tarball: "\(folder)/2.tgz"), entryID: "two")
      #expect(second.manifest.version == "0+dev.2")
      #expect(second.manifest.jobs == first.manifest.jobs)
      #expect(second.manifest.packages == first.manifest.packages)
      let third = try await release.create(.init(version: "7", tarball: "\(folder)/3.tgz"), entryID: "three")
      let again = try SampleRelease.copy(to: "\(folder)/other")
      let fourth = try await again.create(.init(version: "7", tarball: "\(folder)/4.tgz"), entryID: "x")
      #expect(third.digest == fourth.digest)
      await #expect(throws: DroverError.self) { try await release.create(.init(version: "7"), entryID: "four") }
      let opened = try ReleaseTarball.open("\(folder)/4.tgz", scratch: "\(folder)/scratch")
      #expect(opened.manifest == fourth.manifest)
      #expect(opened.graph.all(of: "app") == ["base"])
    }
  }

  @Test(
    "What is wrong in a folder is said by file and field",
    arguments: [
      (
        "packages/base/spec", "name: base\nfiles: [nothing/*]\n",
        "files: 'nothing/*' matches nothing in src/ and blobs/"
      ),
      ("packages/base/spec", "name: base\nfiles: [../x]\n", "files[0]: '../x' leaves src/"),
      ("packages/base/spec", "name: base\nfiles: [base/base.txt]\ndependencies: [app]\n", "circle: app → base → app"),
      ("jobs/web/spec", "name: web\ntemplates: {none: x}\n", "templates.none: there is no file templates/none"),
      ("jobs/web/spec", "name: other\n", "name: is 'other', but the job's folder is 'web'"),
      ("jobs/web/spec", "name: web\npackages: [zip]\n", "packages: 'zip' is not among the release's packages"),
      ("blobs/big/data.bin", "changed", "is not the blob that config/blobs.yml lists"),
      ("config/blobs.yml", "other.bin: {size: 1, sha: ab}", "blob 'other.bin' is not in"),
    ])
  func errors(file: String, text: String, message: String) async throws {
    try await withTemporaryFolder { folder in
      let release = try SampleRelease.copy(to: "\(folder)/sample")
      unlink("\(folder)/sample/\(file)")
      try OpenFile(creating: "\(folder)/sample/\(file)", mode: 0o644).write(Array(text.utf8))
      let error = await #expect(throws: DroverError.self) {
        try await release.create(.init(tarball: "\(folder)/x.tgz"), entryID: "x")
      }
      #expect(error?.description.contains(message) == true, "\(String(describing: error))")
      #expect(try !Files.names(in: folder).contains("x.tgz"))
      #expect(try !Files.isFolder("\(folder)/sample/dev_releases"))
    }
  }

  /// Puts a file below the copy's folder.
  private func put(_ file: String, _ text: String) throws {
    var folder = ""
    for part in file.split(separator: "/").dropLast() {
      folder += "/\(part)"
      mkdir(folder, 0o755)
    }
    unlink(file)
    try OpenFile(creating: file, mode: 0o644).write(Array(text.utf8))
  }

  private static let errand = "name: check\ntemplates: {run.sh: execute, c.erb: config/c}\npackages: [base]\n"

  @Test("Errands are packed as jobs with a mark, and nothing else changes")
  func errands() async throws {
    try await withTemporaryFolder { folder in
      let release = try SampleRelease.copy(to: "\(folder)/sample")
      try put("\(folder)/sample/errands/check/spec", Self.errand)
      try put("\(folder)/sample/errands/check/templates/run.sh", "#!/bin/sh\n")
      try put("\(folder)/sample/errands/check/templates/c.erb", "")
      let created = try await release.create(.init(version: "7", tarball: "\(folder)/1.tgz"), entryID: "one")
      #expect(created.errands == ["check"])
      var fingerprints = SampleRelease.fingerprints(of: created.manifest)
      let fingerprint = fingerprints.removeValue(forKey: "job check")
      #expect(fingerprints == SampleRelease.fingerprints)
      let opened = try ReleaseTarball.open("\(folder)/1.tgz", scratch: "\(folder)/scratch")
      #expect(opened.jobs.map { "\($0.kind) \($0.spec.name)" } == ["errand check", "job empty", "job web"])
      let archive = try JobArchive(opened.jobs[0].archive.path)
      #expect(archive.monit == [] && archive.kind == .errand && archive.template("run.sh") == Array("#!/bin/sh\n".utf8))
      // A job of the same files has another fingerprint, and an empty monit file is as good as none.
      try put("\(folder)/sample/errands/check/monit", "\n")
      let again = try await release.create(.init(version: "8"), entryID: "two")
      #expect(SampleRelease.fingerprints(of: again.manifest)["job check"] == fingerprint)
      try #require(rename("\(folder)/sample/errands/check", "\(folder)/sample/jobs/check") == 0)
      try put("\(folder)/sample/jobs/check/monit", "")
      let job = try await release.create(.init(version: "9"), entryID: "three")
      #expect(job.errands.isEmpty && SampleRelease.fingerprints(of: job.manifest)["job check"] != fingerprint)
    }
  }

  @Test(
    "What is wrong with an errand is said by file and field",
    arguments: [
      (
        "check/spec", "name: check\ntemplates: {run.sh: bin/run}\n",
        "errands/check/spec: templates: none of them becomes 'execute', which is the script that errand 'check' runs"
      ),
      ("check/spec", "name: other\n", "name: is 'other', but the errand's folder is 'check'"),
      ("check/spec", "name: ../check\n", "job name '../check'"),
      ("check/spec", "name: check\ntemplates: {none: execute}\n", "templates.none: there is no file templates/none"),
      ("check/spec", "name: check\ntemplates: {run.sh: execute}\npackages: [zip]\n", "'zip' is not among"),
      ("check/monit", "check process x\n", "errand 'check' has a file monit; errands are not supervised"),
      ("empty/spec", "name: empty\ntemplates: {run.sh: execute}\n", "there are a job and an errand 'empty'"),
      ("bare/other", "", "errands/bare/spec: there is no such file"),
    ])
  func badErrands(file: String, text: String, message: String) async throws {
    try await withTemporaryFolder { folder in
      let release = try SampleRelease.copy(to: "\(folder)/sample")
      for (file, text) in [("check/spec", Self.errand), ("check/templates/run.sh", ""), ("check/templates/c.erb", "")] {
        try put("\(folder)/sample/errands/\(file)", text)
      }
      if file.hasPrefix("empty/") { try put("\(folder)/sample/errands/empty/templates/run.sh", "") }
      try put("\(folder)/sample/errands/\(file)", text)
      let error = await #expect(throws: DroverError.self) {
        try await release.create(.init(tarball: "\(folder)/x.tgz"), entryID: "x")
      }
      #expect(error?.description.contains(message) == true, "\(String(describing: error))")
      #expect(try !Files.isFolder("\(folder)/sample/dev_releases"))
    }
  }

  @Test("What is no release folder is refused")
  func noRelease() async throws {
    try await withTemporaryFolder { folder in
      let error = #expect(throws: DroverError.self) { try ReleaseFolder(folder) }
      #expect(error?.code == .notFound)
    }
  }

  @Test("A pre-packaging script changes what is packed, and goes away")
  func prePackaging() async throws {
    try await withTemporaryFolder { folder in
      let release = try SampleRelease.copy(to: "\(folder)/sample")
      try OpenFile(creating: "\(folder)/sample/packages/base/pre_packaging", mode: 0o644)
        .write(Array("cp ${RELEASE_DIR}/LICENSE ${BUILD_DIR}/base/from-script\n".utf8))
      _ = try await release.create(.init(tarball: "\(folder)/x.tgz"), entryID: "x")
      let opened = try ReleaseTarball.open("\(folder)/x.tgz", scratch: "\(folder)/scratch")
      let archive = try #require(opened.packages.first { $0.name == "base" }?.archive)
      let reader = try ArchiveReader(file: archive.path)
      var names: [String] = []
      while let entry = try reader.next() { names.append(entry.path) }
      #expect(names == ["./", "./base/", "./base/base.txt", "./base/from-script", "./packaging"])
    }
  }
}
