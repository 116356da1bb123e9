import CLinux
import Files
import Formats
import Glibc
import TestSupport
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(1))) struct SipidTests {
  private static func text(_ path: String) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }

  @Test(
    "a pidfile is claimed that is not there, or speaks of no process that runs",
    arguments: [nil, "", "garbage", "-100", "0", "-1", "4194305", "99999999999999999999"])
  func claims(before: String?) async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/missing/run/pid"
      if let before {
        try Files.makeFolder("\(folder)/missing/run")
        try writeTestFile(path, before)
      }
      try Sipid.claim(17_000_000, path)
      #expect(try Self.text(path) == "17000000")
      if before == nil {
        #expect(try #require(try FileFacts(path)).permissions == 0o600)
        #expect(try #require(try FileFacts("\(folder)/missing")).permissions == 0o700)
      }
    }
  }

  @Test("a process that runs keeps its pidfile")
  func taken() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/pid"
      try writeTestFile(path, " \(getpid())\n")
      var error = #expect(throws: DroverError.self) { try Sipid.claim(7, path) }
      #expect(error?.message == "process \(getpid()) (\(path)) already exists")
      error = #expect(throws: DroverError.self) { try Sipid.claim(Int(getpid()), path) }
      #expect(error?.message == "process \(getpid()) (\(path)) is already in the pidfile")
      #expect(try Self.text(path) == " \(getpid())\n")
    }
  }

  @Test("a pidfile that cannot be read is not free, and not overwritten")
  func unreadableClaim() async throws {
    try await withTemporaryFolder { folder in
      for (kind, message) in [
        (Unreadable.folder, "open \(folder)/folder: is a directory"),
        (.inputOutputError, "read \(folder)/inputOutputError: input/output error"),
      ] {
        let path = "\(folder)/\(kind)"
        try kind.put(path)
        let error = #expect(throws: DroverError.self) { try Sipid.claim(7_000_000, path) }
        #expect(error?.message == message)
      }
    }
  }

  @Test("a pidfile that somebody else locks is left alone")
  func locked() async throws {
    try await withTemporaryFolder { folder in
      let lock = try #require(try LockFile.tryAcquire("\(folder)/pid"))
      let error = #expect(throws: DroverError.self) { try Sipid.claim(7, "\(folder)/pid") }
      #expect(error?.message == "another process is locking")
      lock.release()
      try Sipid.claim(7_000_000, "\(folder)/pid")
    }
  }

  @Test("of many claims at once one succeeds")
  func atOnce() async throws {
    try await withTemporaryFolder { folder in
      let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
      let winners = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<20 { group.addTask { (try? Sipid.claim(child.pid, "\(folder)/pid")) != nil } }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(winners == 1)
      kill(pid_t(child.pid), SIGKILL)
      _ = try await child.ending()
    }
  }

  @Test("a zombie is no process that runs, for claim and for kill")
  func zombie() async throws {
    try await withTemporaryFolder { folder in
      let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
      let identity = try #require(ProcessIdentity(livingPid: child.pid))
      kill(pid_t(child.pid), SIGKILL)
      try await identity.waitForExit()
      try writeTestFile("\(folder)/pid", "\(child.pid)")
      let start = ContinuousClock.now
      try Sipid.kill("\(folder)/pid", showsStacks: false)
      #expect(ContinuousClock.now - start < Sipid.patience)
      #expect(try Self.text("\(folder)/pid") == "\(child.pid)")
      try Sipid.claim(17_000_000, "\(folder)/pid")
      _ = try await child.ending()
    }
  }

  @Test("a process that got the pid of the one that claimed is neither ended nor does it keep the file")
  func recycled() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/pid"
      let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
      let identity = try #require(ProcessIdentity(livingPid: child.pid))
      try Sipid.claim(child.pid, path)
      let former = ProcessIdentity(pid: child.pid, startTicks: identity.startTicks - 1, bootID: identity.bootID)
      let descriptor = open(path, O_RDONLY)
      let value = JSON.bytes(former.value)
      let isKept = drover_attribute_set(descriptor, "user.drover.process", value, value.count) == 0
      close(descriptor)
      guard isKept else {
        print("skipped: the file system of \(folder) keeps no attributes of files")
        kill(pid_t(child.pid), SIGKILL)
        return
      }
      try Sipid.kill(path, showsStacks: false)
      #expect(identity.isAlive)
      #expect(try Files.exists(path))
      // A file that another program wrote anew speaks of whatever has its pid.
      try writeTestFile(path, "17000000")
      try Sipid.claim(child.pid, path)
      try Sipid.kill(path, showsStacks: false)
      _ = try await child.ending()
      #expect(try !Files.exists(path))
    }
  }

  @Test(
    "pids of 0 and below are no processes: nothing is signalled, and the file stays", arguments: ["0", "-1", "-100"])
  func nobody(text: String) async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/pid", text)
      try Sipid.kill("\(folder)/pid", showsStacks: true)
      #expect(try Self.text("\(folder)/pid") == text)
    }
  }

  @Test("without a pid in it, or without the file, killing fails")
  func unreadable() async throws {
    try await withTemporaryFolder { folder in
      var error = #expect(throws: DroverError.self) { try Sipid.kill("\(folder)/pid", showsStacks: false) }
      #expect(error?.message == "open \(folder)/pid: no such file or directory")
      error = #expect(throws: DroverError.self) { try Sipid.kill(folder, showsStacks: false) }
      #expect(error?.message == "read \(folder): is a directory")
      for text in ["", "a", "7 8", "7a", "99999999999999999999"] {
        try writeTestFile("\(folder)/pid", text)
        error = #expect(throws: DroverError.self) { try Sipid.kill("\(folder)/pid", showsStacks: false) }
        #expect(error?.message == "pidfile (\(folder)/pid) does not contain a valid pid")
      }
    }
  }

  @Test(
    "SIGTERM, then after a while SIGKILL, with SIGQUIT before it if stacks are wanted",
    arguments: [
      ("echo TERM; exit", false, ["TERM"]), (": ", false, []), (": ", true, ["QUIT"]),
    ] as [(String, Bool, [String])])
  func ladder(onTerm: String, showsStacks: Bool, expected: [String]) async throws {
    try await withTemporaryFolder { folder in
      // Sleeps in short pieces: a shell's trap waits for the command that runs.
      let script = "trap '\(onTerm)' TERM; trap 'echo QUIT' QUIT; echo ready; while :; do sleep 0.02; done"
      let child = try DetachedProcess(
        ["/bin/sh", "-c", "exec >'\(folder)/out' 2>&1; \(script)"], environment: ["PATH": "/bin:/usr/bin"])
      while !(Files.textIfPresent("\(folder)/out") ?? "").hasPrefix("ready") {
        try await Task.sleep(for: .milliseconds(5))
      }
      try Sipid.claim(child.pid, "\(folder)/pid")
      let isKilled = expected != ["TERM"]
      let patience: Duration = isKilled ? .milliseconds(300) : Sipid.patience
      let start = ContinuousClock.now
      try Sipid.kill("\(folder)/pid", showsStacks: showsStacks, patience: patience)
      #expect(try !Files.exists("\(folder)/pid"))
      #expect(isKilled == (ContinuousClock.now - start >= .milliseconds(300)))
      #expect(try await child.ending() == (isKilled ? .signalled(9) : .exited(0)))
      #expect(try Self.text("\(folder)/out").split(separator: "\n").dropFirst().map(String.init) == expected)
    }
  }
}
