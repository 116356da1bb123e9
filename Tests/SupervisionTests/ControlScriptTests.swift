import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Supervision

/// A job as releases have them that run databases: control scripts, a user of its own, two processes, one of which
/// depends on the other.
@Suite(.timeLimit(.minutes(10))) struct ControlScriptTests {
  private func write(_ vm: FakeVM) throws {
    try FilesFixture.open(vm.folder)
    for name in ["db", "janitor"] {
      try writeTestFile(
        "\(vm.folder)/\(name)_ctl",
        """
        #!/bin/bash
        pidfile=\(vm.pidfile(name))
        case $1 in
        start)
          echo "start \(name) $(id -u)" >> \(vm.folder)/events
          # Not by kill -0, which succeeds for a killed process that init has not yet buried.
          if [ -f $pidfile ] && readlink /proc/$(cat $pidfile)/exe >/dev/null; then exit 1; fi
          bash -c 'echo $$ > '$pidfile'; exec sleep 1000' &
          ;;
        stop)
          echo "stop \(name) $(id -u)" >> \(vm.folder)/events
          kill $(cat $pidfile); sleep 0.1; rm -f $pidfile
          ;;
        esac
        """, mode: 0o755)
    }
    try writeTestFile(
      "\(vm.paths.controlFiles)/0000_db.monitrc",
      """
      check process db
        with pidfile \(vm.pidfile("db"))
        start program "\(vm.folder)/db_ctl start"
          as uid 65534 and gid 65534 timeout 60 seconds
        stop program "\(vm.folder)/db_ctl stop"
        group vcap
      check process janitor
        with pidfile \(vm.pidfile("janitor"))
        start program "\(vm.folder)/janitor_ctl start"
          as uid 65534 and gid 65534 timeout 60 seconds
        stop program "\(vm.folder)/janitor_ctl stop"
        depends on db
        group vcap
      """)
  }

  @Test(
    "starts, restarts after kill -9 with what depends on it, and stops",
    .enabled(if: geteuid() == 0, "needs root, to start programs as another user"))
  func lifecycle() async throws {
    try await FakeVM.with { vm in
      try write(vm)
      let supervisor = try vm.supervisor()
      try await supervisor.loadControlFiles()
      try await supervisor.startAll()
      try await until { await supervisor.jobState() == .running }
      #expect(vm.events == ["start db 65534", "start janitor 65534"])
      let db = try #require(vm.process("db"))
      let janitor = try #require(vm.process("janitor"))
      #expect(try FileFacts("/proc/\(db.pid)")?.user == 65534)

      try db.signal(SIGKILL)
      try await until { vm.events.count == 5 }
      try await until { await supervisor.jobState() == .running }
      #expect(vm.events.dropFirst(2) == ["stop janitor 0", "start db 65534", "start janitor 65534"])
      #expect(vm.process("db") != db && !janitor.isAlive)

      try await supervisor.stopAndWait()
      #expect(vm.events.suffix(2) == ["stop janitor 0", "stop db 0"])
      #expect(vm.process("db") == nil && vm.process("janitor") == nil)
      await supervisor.close()
    }
  }
}

enum FilesFixture {
  /// Lets everybody write into a folder of a test and what is in it.
  static func open(_ folder: String) throws {
    for path in [folder, "\(folder)/run"] { #expect(chmod(path, 0o777) == 0) }
    try writeTestFile("\(folder)/events", "", mode: 0o666)
  }
}
