import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Messaging
import Processes
import Testing

@testable import Agent

@Suite struct ActionTests {
  @Test("a blob in a message is kept when its checksum is right, and refused when not")
  func uploadBlob() async throws {
    try await TestAgent.with { test in
      let good = UploadBlobRequest(
        blobID: "b1", checksum: DigestHasher.hex(.sha1, "hello"), payload: Base64.encode("hello".utf8))
      #expect(try await test.call("upload_blob", good.value) == "b1")
      var bad = good
      bad.payload = Base64.encode("other".utf8)
      bad.blobID = "b2"
      let task = try await test.begin("upload_blob", bad.value)
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.contains("Payload corrupted. Checksum mismatch. Expected '\(good.checksum)'"))
      #expect(try Files.names(in: "\(test.base)/data/sensitive_blobs") == ["b1"])
    }
  }

  @Test("a drain sleeps as its script says, asks again while it is negative, and ends at once when cancelled")
  func drain() async throws {
    try await TestAgent.with { test in
      let script = """
        #!/bin/bash
        echo "$*" >> \(test.base)/trace
        if [ -e \(test.base)/long ]; then echo 1000; elif [ "$1" = job_check_status ]; then echo 0; else echo -1; fi

        """
      let release = TestRelease(jobs: [("web", ["bin/drain": script, "monit": ""])])
      let spec = try release.spec(for: test)
      _ = try await test.call("apply", spec.value)
      var next = spec
      next.configurationHash = "other"
      #expect(try await test.call("drain", "update", next.value) == 0)
      #expect(
        Files.textIfPresent("\(test.base)/trace")
          == "job_changed hash_changed\njob_check_status hash_unchanged\n")

      try Files.replace("\(test.base)/long", with: [])
      let task = try await test.begin("drain", "shutdown")
      try await waitFor(3) { Files.textIfPresent("\(test.base)/trace")?.split(separator: "\n").count }
      #expect(try await test.call("cancel_task", .string(task)) == "canceled")
      #expect(try await test.result(of: task) == 0)

      for (kind, text) in [
        ("update", "Drain update requires new spec"), ("status", "Unexpected call with drain type 'status'"),
        ("nonsense", "Unexpected call with drain type 'nonsense'"),
      ] {
        let task = try await test.begin("drain", .string(kind))
        let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
        #expect(error.message.hasSuffix(text))
      }
    }
  }

  @Test("scripts that fail are summarised, and their output is in the job's logs")
  func runScript() async throws {
    try await TestAgent.with { test in
      let release = TestRelease(jobs: [
        ("bad", ["bin/pre-start": "#!/bin/bash\necho out; echo err >&2; exit 3\n", "monit": ""]),
        ("good", ["bin/pre-start": "#!/bin/bash\necho $EXTRA\n", "monit": ""]), ("none", ["monit": ""]),
      ])
      _ = try await test.call("apply", release.spec(for: test).value)
      let task = try await test.begin("run_script", "pre-start", ["env": ["EXTRA": "extra"]])
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(
        error.message.contains(
          "1 of 2 pre-start scripts failed. Failed Jobs: bad. Successful Jobs: good."), "\(error.message)")
      let logs = "\(test.base)/sys/log"
      #expect(Files.textIfPresent("\(logs)/bad/pre-start.stdout.log") == "out\n")
      #expect(Files.textIfPresent("\(logs)/bad/pre-start.stderr.log") == "err\n")
      #expect(Files.textIfPresent("\(logs)/good/pre-start.stdout.log") == "extra\n")
    }
  }

  @Test("logs are gathered by type and pattern")
  func fetchLogs() async throws {
    try await TestAgent.with { test in
      for path in ["web/a.log", "web/deep/b.log", "web/c.txt", "other/a.log"] {
        let place = "\(test.base)/data/sys/log/\(path)"
        try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]))
        try Files.replace(place, with: Array(path.utf8))
      }
      try Files.makeFolder("\(test.root)/var/log")
      try Files.replace("\(test.root)/var/log/syslog", with: [1])
      for (types, filters, expected) in [
        ("job", [], ["other/a.log", "web/a.log", "web/c.txt", "web/deep/b.log"]),
        ("job", ["**/*.log"], ["other/a.log", "web/a.log", "web/deep/b.log"]), ("job", ["web/*.log"], ["web/a.log"]),
        ("job", ["web"], ["web/a.log", "web/c.txt", "web/deep/b.log"]), ("job", ["nothing"], []),
        ("system", [], ["var/log/syslog"]), ("job,system", ["*"], ["var/log/syslog"]),
      ] as [(String, [String], [String])] {
        let result = try LogResult(await test.call("fetch_logs", .string(types), Value(filters)))
        let blob = "\(test.blobstore)/\(try #require(result.blobstoreID))"
        #expect(try DigestHasher.hex(.sha1, Files.read(blob)) == result.sha1)
        let reader = try ArchiveReader(file: blob)
        var names: [String] = []
        while let entry = try reader.next() { if entry.kind == .file { names.append(entry.name) } }
        #expect(names.sorted() == expected, "\(types) \(filters)")
      }
      let task = try await test.begin("fetch_logs", "secret", .null)
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.hasSuffix("Invalid log type"))
    }
  }

  @Test("DNS records become names of the machine, once per version")
  func syncDNS() async throws {
    try await TestAgent.with { test in
      func put(_ text: String) throws -> Value {
        try Files.replace("\(test.blobstore)/dns", with: Array(text.utf8))
        return .string("sha256:\(DigestHasher.hex(.sha256, text))")
      }
      let digest = try put(#"{"Version":2,"records":[["10.0.0.1","a.bosh"],["10.0.0.2","b.bosh"]]}"#)
      #expect(try await test.call("sync_dns", "dns", digest, 2) == "synced")
      let hosts = Files.textIfPresent("\(test.root)/etc/hosts") ?? ""
      #expect(hosts.hasPrefix("127.0.0.1 localhost agent-1\n") && hosts.hasSuffix("10.0.0.1 a.bosh\n10.0.0.2 b.bosh\n"))
      try Files.remove("\(test.blobstore)/dns")
      #expect(try await test.call("sync_dns", "dns", digest, 2) == "synced")
      #expect(try await test.failure("sync_dns", "dns", digest, 3).hasPrefix("Action Failed sync_dns: "))
      let other = try put(#"{"version":4,"records":[]}"#)
      #expect(
        try await test.failure("sync_dns", "dns", other, 5)
          == "Action Failed sync_dns: version from unpacked dns blob does not match version supplied by director")
      let evil = try put(#"{"version":6,"records":[["10.0.0.1","a\n6.6.6.6 bank"]]}"#)
      #expect(try await test.failure("sync_dns", "dns", evil, 6).contains("records[0]"))
    }
  }

  @Test("a persistent disk is mounted on the store, listed, and unmounted")
  func disks() async throws {
    try await TestAgent.with { test in
      let disk = "\(test.folder)/disk"
      try Files.makeFolder(disk)
      try Files.replace("\(disk)/kept", with: [1])
      #expect(try await test.call("add_persistent_disk", "cid/1", ["path": .string(disk)]) == [:])
      #expect(try await test.call("list_disk") == [])
      #expect(try await test.call("mount_disk", "cid/1") == [:])
      // As if the agent had been killed before it was on record.
      try Files.remove(test.layout.managedDisk)
      #expect(try await test.call("mount_disk", "cid/1") == [:])
      #expect(Files.textIfPresent(test.layout.managedDisk) == "cid/1")
      #expect(try await test.call("list_disk") == ["cid/1"])
      #expect(try Files.exists("\(test.base)/store/kept"))
      #expect(
        try await test.call("unmount_disk", "cid/1") == ["message": .string("Unmounted partition of \(disk)")])
      #expect(
        try await test.call("unmount_disk", "cid/1") == ["message": .string("Partition of \(disk) is not mounted")])
      #expect(try !Files.exists("\(test.base)/store/kept"))
      #expect(try await test.call("remove_persistent_disk", "cid/1") == [:])
      let task = try await test.begin("mount_disk", "cid/1")
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.hasSuffix("Persistent disk with volume id 'cid/1' could not be found"))
    }
  }

  @Test("the content of a disk moves to a new one, which takes its place")
  func migrate() async throws {
    try await TestAgent.with { test in
      for disk in ["old", "new"] {
        let path = "\(test.folder)/\(disk)"
        try Files.makeFolder(path)
        _ = try await test.call("add_persistent_disk", .string(disk), ["path": .string(path)])
      }
      try Files.replace("\(test.folder)/old/data", with: [1, 2, 3])
      _ = try await test.call("mount_disk", "old")
      _ = try await test.call("mount_disk", "new")
      #expect(try await test.call("list_disk") == ["new", "old"])
      #expect(try await test.call("migrate_disk", "old", "new") == [:])
      #expect(try await test.call("list_disk") == ["new"])
      #expect(try Files.read("\(test.base)/store/data") == [1, 2, 3])
      _ = try await test.call("unmount_disk", "new")
    }
  }

  @Test("a heartbeat and a shutdown note reach the health monitor")
  func healthMonitor() async throws {
    try await TestAgent.with { test in
      let notes = try await test.bus.subscribe("hm.agent.shutdown.*")
      _ = try await test.call("drain", "shutdown")
      #expect(try await notes.next()?.payload == Array("null".utf8))
    }
  }
}
