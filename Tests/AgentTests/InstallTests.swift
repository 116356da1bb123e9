import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Glibc
import Processes
import Testing

@testable import Agent

@Suite struct InstallTests {
  private static func mode(_ path: String) -> String {
    var information = stat()
    guard lstat(path, &information) == 0 else { return "none" }
    return String(information.st_mode & 0o7777, radix: 8)
  }

  @Test("bundles, links and modes are those of the reference")
  func layout() async throws {
    try await TestAgent.with { test in
      var release = TestRelease(jobs: [
        ("web", ["bin/ctl": "#!/bin/sh\n", "bin/sub/helper": "x", "config/a.yml": "a", "monit": ""])
      ])
      release.packages = [("tool", ["bin/tool": "#!/bin/sh\n", "lib/a": "a"]), ("other", ["x": "x"])]
      let spec = try release.spec(for: test)
      #expect(try await test.call("apply", spec.value) == "applied")

      let archive = try #require(spec.renderedTemplatesArchive)
      let job = "\(test.base)/data/jobs/web/\(DigestHasher.hex(.sha1, "1-\(archive.sha1)"))"
      let tool = "\(test.base)/data/packages/tool/\(DigestHasher.hex(.sha1, "1-\(spec.packages[0].sha1)"))"
      #expect(try Files.linkText("\(test.base)/jobs/web") == job)
      #expect(try Files.linkText("\(test.base)/packages/tool") == tool)
      #expect(try Files.linkText("\(job)/packages/tool") == tool)
      #expect(try Files.names(in: "\(job)/packages") == ["other", "tool"])
      #expect(try Files.linkText("\(test.base)/sys") == "\(test.base)/data/sys")
      for (path, mode) in [
        (job, "750"), ("\(job)/bin", "750"), ("\(job)/bin/ctl", "750"), ("\(job)/bin/sub/helper", "750"),
        ("\(job)/config/a.yml", "640"), ("\(job)/monit", "640"), ("\(test.base)/jobs", "750"),
        ("\(test.base)/packages", "755"), (tool, "755"), ("\(tool)/bin/tool", "755"), ("\(tool)/lib/a", "644"),
        ("\(test.base)/data/sys/log/web", "770"), ("\(test.base)/data/sys/run/web", "770"),
        ("\(test.base)/data/web", "770"), ("\(test.base)/bosh/spec.json", "600"),
        ("\(test.base)/bosh/settings.json", "600"), ("\(test.base)/data/sensitive_blobs", "700"),
        ("\(test.base)/instance/id", "644"), ("\(test.base)/data/tmp", "755"),
      ] {
        #expect(Self.mode(path) == mode, "\(path)")
      }
      #expect(Files.textIfPresent("\(test.root)/etc/logrotate.d/vcap")?.contains("size=50M") == true)

      // Applying again finds everything there, though the archive's blob is gone.
      try Files.remove("\(test.blobstore)/rendered-1")
      #expect(try await test.call("apply", spec.value) == "applied")
    }
  }

  @Test("an errand of a release has a place of its own, and leaves it when no spec names it any more")
  func errands() async throws {
    try await TestAgent.with { test in
      var release = TestRelease(jobs: [
        ("web", ["monit": ""]),
        ("smoke", ["execute": "#!/bin/sh\n", "bin/helper": "#!/bin/sh\n", "config/a": "a"]),
      ])
      release.packages = [("tool", ["x": "x"])]
      release.errands = ["smoke"]
      let spec = try release.spec(for: test)
      #expect(try await test.call("apply", spec.value) == "applied")
      let archive = try #require(spec.renderedTemplatesArchive)
      let folder = "\(test.base)/data/.errands/smoke/\(DigestHasher.hex(.sha1, "1-\(archive.sha1)"))"
      #expect(try Files.linkText("\(test.base)/errands/smoke") == folder)
      #expect(try Files.names(in: "\(test.base)/jobs") == ["web"])
      #expect(try Files.names(in: "\(folder)/packages") == ["tool"])
      for (path, mode) in [
        ("\(test.base)/errands", "750"), (folder, "750"), ("\(folder)/execute", "755"),
        ("\(folder)/bin/helper", "750"), ("\(folder)/config/a", "640"), ("\(test.base)/data/sys/log/smoke", "770"),
      ] {
        #expect(Self.mode(path) == mode, "\(path)")
      }
      // A job of the same name takes its place, and the errand's goes.
      let job = TestRelease(jobs: [("smoke", ["monit": ""])], version: "2")
      #expect(try await test.call("apply", job.spec(for: test).value) == "applied")
      #expect(try Files.names(in: "\(test.base)/errands") == [])
      #expect(try Files.names(in: "\(test.base)/data/.errands/smoke") == [])
      #expect(try Files.names(in: "\(test.base)/jobs") == ["smoke"])
    }
  }

  @Test("what a job called 'errands' keeps in its folder is left alone")
  func jobCalledErrands() async throws {
    try await TestAgent.with { test in
      let release = TestRelease(jobs: [("errands", ["monit": ""])])
      #expect(try await test.call("apply", release.spec(for: test).value) == "applied")
      try Files.makeFolder("\(test.base)/data/errands/mine/deep")
      let next = TestRelease(jobs: release.jobs, version: "2")
      #expect(try await test.call("apply", next.spec(for: test).value) == "applied")
      #expect(try FileFacts("\(test.base)/data/errands/mine/deep")?.kind == .folder)
    }
  }

  @Test("what a later spec does not name is removed")
  func removal() async throws {
    try await TestAgent.with { test in
      var old = TestRelease(jobs: [("a", ["monit": ""]), ("b", ["monit": ""])])
      old.packages = [("p", ["x": "1"]), ("q", ["x": "1"])]
      _ = try await test.call("apply", old.spec(for: test).value)
      var new = TestRelease(jobs: [("b", ["monit": "", "new": "1"])], version: "2")
      new.packages = [("q", ["x": "2"])]
      _ = try await test.call("apply", new.spec(for: test).value)
      #expect(try Files.names(in: "\(test.base)/jobs") == ["b"])
      #expect(try Files.names(in: "\(test.base)/packages") == ["q"])
      #expect(try Files.names(in: "\(test.base)/data/jobs/a") == [])
      #expect(try Files.names(in: "\(test.base)/data/jobs/b").count == 1)
      #expect(try Files.names(in: "\(test.base)/jobs/b/packages") == ["q"])
      #expect(Files.textIfPresent("\(test.base)/packages/q/x") == "2")
    }
  }

  @Test("a spec without configuration hash is kept and installs nothing")
  func partialSpec() async throws {
    try await TestAgent.with { test in
      let spec = ApplySpec(deployment: "d", name: "n", index: 3, networks: ["default": ["ip": "10.0.0.9"]])
      #expect(try await test.call("apply", spec.value) == "applied")
      #expect(try AgentState(await test.call("get_state")).spec == spec)
      let task = try await test.begin("apply", ["networks": ["nowhere": ["ip": "1.2.3.4"]]])
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.hasSuffix("Network 'nowhere' is not found in settings"))
    }
  }

  @Test("a wrong digest names both, and nothing is half-installed")
  func wrongDigest() async throws {
    try await TestAgent.with { test in
      var release = TestRelease(jobs: [("a", ["monit": ""])])
      release.packages = [("p", ["x": "1"])]
      var spec = try release.spec(for: test)
      spec.packages[0].sha1 = String(repeating: "0", count: 40)
      let task = try await test.begin("apply", spec.value)
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.contains("Expected stream to have digest '\(spec.packages[0].sha1)' but was '"))
      #expect(try Files.names(in: "\(test.base)/data/packages/p") == [])
      #expect(try Files.names(in: "\(test.base)/data/tmp") == [])
    }
  }

  @Test("names that lead out of their folder are refused", arguments: ["../evil", "a/b", "..", "."])
  func traversal(name: String) async throws {
    try await TestAgent.with { test in
      let release = TestRelease(jobs: [("a", ["monit": ""])])
      let spec = try release.spec(for: test)
      var badJob = spec
      badJob.job.templates[0].name = name
      var badPackage = spec
      badPackage.packages = [.init(name: name, version: "1", sha1: "00", blobstoreID: "x")]
      var badBlob = spec
      badBlob.packages = [.init(name: "p", version: "1", sha1: String(repeating: "0", count: 40), blobstoreID: name)]
      let requests: [(String, [Value])] = [
        ("apply", [badJob.value]), ("apply", [badPackage.value]), ("apply", [badBlob.value]),
        ("run_script", [.string(name), [:]]),
        (
          "upload_blob",
          [["blob_id": .string(name), "checksum": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "payload": ""]]
        ),
        (
          "update_settings",
          [["disk_associations": [["name": .string(name), "cid": "d1"]]]]
        ),
      ]
      for (method, arguments) in requests {
        let response = try await test.request(method, arguments)
        let task = try #require(AgentTaskReply(try TestAgent.value(response))).taskID
        await #expect(throws: DroverError.self, "\(method)") { try await test.result(of: task) }
      }
      #expect(try await test.failure("remove_file", "/etc/passwd").contains("only what lies in"))
      #expect(try await test.failure("remove_file", .string("\(test.base)/data/tmp/../x")).contains("plain name"))
      #expect(
        try Files.names(in: test.folder)
          == ["blobstore", "packing", "root", "vcap"].filter {
            Files.isVisible("\(test.folder)/\($0)")
          })
    }
  }

  @Test("an archive that leads out of its folder installs nothing")
  func escapingArchive() async throws {
    try await TestAgent.with { test in
      let path = "\(test.blobstore)/evil"
      let writer = try ArchiveWriter(file: path, compression: .gzip(level: 1), hashing: [.sha256])
      try writer.add(ArchiveEntry(path: "../../evil", kind: .file, size: 1, mode: 0o644), content: [1])
      let digest = try writer.finish()
      var release = TestRelease(jobs: [("a", ["monit": ""])])
      release.packages = []
      var spec = try release.spec(for: test)
      spec.packages = [.init(name: "p", version: "1", sha1: digest.description, blobstoreID: "evil")]
      let task = try await test.begin("apply", spec.value)
      await #expect(throws: DroverError.self) { try await test.result(of: task) }
      #expect(try Files.names(in: "\(test.base)/data/packages") == ["p"])
      #expect(try Files.names(in: "\(test.base)/data/packages/p") == [])
    }
  }
}
