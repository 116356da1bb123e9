import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct ProcessIdentityTests {
  @Test("this process is alive, and its form in a file is itself again")
  func current() throws {
    let identity = try #require(ProcessIdentity.current())
    #expect(identity.isAlive)
    #expect(try ProcessIdentity(identity.value) == identity)
    #expect(!identity.bootID.isEmpty)
  }

  @Test("pids of 0 and below, and unused ones, are no processes", arguments: [0, -1, -100, 4_194_305])
  func nobody(_ pid: Int) {
    #expect(ProcessIdentity(livingPid: pid) == nil)
  }

  @Test("a process that got the pid of another is not that one, and gets none of its signals")
  func recycled() async throws {
    let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
    let identity = try #require(ProcessIdentity(livingPid: child.pid))
    let former = ProcessIdentity(pid: child.pid, startTicks: identity.startTicks - 1, bootID: identity.bootID)
    let beforeBoot = ProcessIdentity(pid: child.pid, startTicks: identity.startTicks, bootID: "another")
    #expect(!former.isAlive)
    #expect(!beforeBoot.isAlive)
    #expect(try former.signal(SIGKILL) == false)
    #expect(identity.isAlive)
    try await former.waitForExit()
    #expect(try identity.signal(SIGKILL))
    #expect(try await child.ending() == .signalled(9))
  }

  @Test("one that has ended but was not reaped is not alive, and waiting for it ends")
  func zombie() async throws {
    let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
    let identity = try #require(ProcessIdentity(livingPid: child.pid))
    kill(pid_t(child.pid), SIGKILL)
    try await identity.waitForExit()
    #expect(!identity.isAlive)
    #expect(!child.isAlive)
    #expect(try identity.signal(SIGTERM) == false)
    _ = try await child.ending()
  }

  @Test("waiting can be limited, and cancelled")
  func limited() async throws {
    let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
    let identity = try #require(ProcessIdentity(livingPid: child.pid))
    #expect(try await identity.waitForExit(atMost: .milliseconds(10)) == false)
    let waiting = Task { try await identity.waitForExit() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    try identity.signal(SIGKILL)
    _ = try await child.ending()
  }

  @Test("the ends of many processes are noticed by one thread")
  func many() async throws {
    let children = try (0..<50).map { _ in try DetachedProcess(["/bin/sleep", "0.2"], environment: [:]) }
    let endings = try await withThrowingTaskGroup(of: Ending.self) { group in
      for child in children { group.addTask { try await child.ending() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(endings == Array(repeating: .exited(0), count: 50))
  }
}

@Suite(.timeLimit(.minutes(10))) struct PidfileTests {
  @Test(
    "reads a decimal pid with blanks around it, and nothing else",
    arguments: [
      ("7", 7), ("  7 \n", 7), ("17\n", 17), ("7\0", 7), ("", nil), ("a", nil), ("-100", nil), ("0", nil), ("7 8", nil),
      ("7a", nil), ("99999999999999999999", nil), ("2147483648", nil), ("+7", nil), ("٧", nil),
    ] as [(String, Int?)])
  func parse(_ text: String, _ pid: Int?) {
    #expect(Pidfile.parse(text) == pid)
  }

  @Test("one that cannot be read is no missing one", arguments: Unreadable.allCases)
  func unreadable(_ kind: Unreadable) async throws {
    try await withTemporaryFolder { folder in
      let file = Pidfile("\(folder)/pid")
      #expect(try file.read() == nil && file.process() == nil)
      try kind.put(file.path)
      let error = #expect(throws: DroverError.self) { try file.read() }
      #expect(error?.description == "reading '\(file.path)': \(kind.reason)")
      #expect(throws: DroverError.self) { try file.process() }
    }
  }

  @Test("names the process that wrote it, not one that was started after it was written")
  func recycled() async throws {
    try await withTemporaryFolder { folder in
      let file = Pidfile("\(folder)/pid")
      #expect(try file.process() == nil)
      let child = try DetachedProcess(["/bin/sleep", "60"], environment: [:])
      try writeTestFile(file.path, "\(child.pid)\n")
      let found = try #require(try file.process())
      #expect(found.pid == child.pid)
      // As if the file had been left by a process of the day before that had the same pid.
      var times = [timespec(), timespec()]
      clock_gettime(CLOCK_REALTIME, &times[0])
      times[0].tv_sec -= 86_400
      times[1] = times[0]
      #expect(utimensat(AT_FDCWD, file.path, times, 0) == 0)
      #expect(try file.process() == nil)
      #expect(try file.process(known: found) == found)
      try found.signal(SIGKILL)
      _ = try await child.ending()
      #expect(try file.process(known: found) == nil)
    }
  }
}
