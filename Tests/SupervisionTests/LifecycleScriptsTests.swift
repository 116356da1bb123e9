import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Supervision

@Suite(.timeLimit(.minutes(10))) struct LifecycleScriptsTests {
  @Test("runs the script of every job that has it, with its logs, PATH, environment and niceness")
  func run() async throws {
    try await FakeVM.with { vm in
      try vm.write(
        "pre-start", job: "web", "nice; echo $PATH; echo \"$TMPDIR $NEXT $LD_LIBRARY_PATH\"; pwd; echo oops >&2")
      try vm.write("pre-start", job: "db", "echo db")
      try vm.write("post-start", job: "none", "exit 1")
      try Files.makeFolder(vm.paths.logs(job: "web"))
      try writeTestFile("\(vm.paths.logs(job: "web"))/pre-start.stdout.log", "before\n")
      try await vm.scripts().run("pre-start", jobs: ["web", "db", "none"], environment: ["NEXT": "delete"], task: "t")
      let niceness = min(19, getpriority(__priority_which_t(0), 0) + 5)
      let logs = vm.paths.logs(job: "web")
      #expect(
        Files.textIfPresent("\(logs)/pre-start.stdout.log")
          == "before\n\(niceness)\n/usr/sbin:/usr/bin:/sbin:/bin\n/tmp delete \n/\n")
      #expect(Files.textIfPresent("\(logs)/pre-start.stderr.log") == "oops\n")
      var information = stat()
      #expect(stat("\(vm.paths.logs(job: "db"))/pre-start.stderr.log", &information) == 0)
      #expect(information.st_mode & 0o777 == 0o640 && information.st_size == 0)
      #expect(stat(vm.paths.logs(job: "db"), &information) == 0 && information.st_mode & 0o777 == 0o750)
      #expect(try !Files.exists(vm.paths.logs(job: "none")))
    }
  }

  @Test("waits for all, and sums up what failed and how")
  func failures() async throws {
    try await FakeVM.with { vm in
      try vm.write("pre-start", job: "a", "exit 3")
      try vm.write("pre-start", job: "b", "sleep 0.3; echo done > \(vm.folder)/done")
      try vm.write("pre-start", job: "c", "sleep 0.6; exit 0", mode: 0o644)
      let scripts = vm.scripts()
      let error = await #expect(throws: DroverError.self) {
        try await scripts.run("pre-start", jobs: ["a", "b", "c"], task: "t")
      }
      let text = error?.message ?? ""
      #expect(text.hasPrefix("2 of 3 pre-start scripts failed. Failed Jobs: "))
      #expect(text.hasSuffix(". Successful Jobs: b."))
      let reasons = error.map { "\($0)" } ?? ""
      #expect(reasons.contains("a: exited with 3") && reasons.contains("is not executable"))
      #expect(try Files.exists("\(vm.folder)/done"))
    }
  }

  @Test("a repeated call of the same task runs nothing twice")
  func repeated() async throws {
    try await FakeVM.with { vm in
      try vm.write("pre-start", job: "a", "echo ran >> \(vm.folder)/count; sleep 0.2; exit 1")
      let first = Task { try await vm.scripts().run("pre-start", jobs: ["a"], task: "t") }
      try await until { try Files.exists("\(vm.folder)/count") }
      first.cancel()
      _ = await first.result
      let scripts = vm.scripts()
      for _ in 0..<2 {
        let error = await #expect(throws: DroverError.self) {
          try await scripts.run("pre-start", jobs: ["a"], task: "t")
        }
        #expect(error?.message == "1 of 1 pre-start scripts failed. Failed Jobs: a.")
      }
      #expect(Files.textIfPresent("\(vm.folder)/count") == "ran\n")
      await scripts.forget(task: "t")
      #expect(try Files.names(in: "\(vm.folder)/runs").isEmpty)
    }
  }

  @Test("a job whose script cannot be looked at is not one without", arguments: ["pre-start", "drain"])
  func unseen(_ name: String) async throws {
    try await FakeVM.with { vm in
      try vm.write("other", job: "a", "")
      try makeLinkLoop(vm.paths.program(name, job: "a"))
      let scripts = vm.scripts()
      let error = await #expect(throws: DroverError.self) {
        if name == "drain" {
          try await scripts.drain(.shutdown(persistentDisk: 0), jobs: ["a"], task: "t")
        } else {
          try await scripts.run(name, jobs: ["a"], task: "t")
        }
      }
      #expect(error?.message.contains("\(vm.paths.program(name, job: "a"))") == true)
    }
  }

  @Test("names cannot lead out of the jobs' folder", arguments: ["../x", "a/b", "", ".", "..", "a b"])
  func names(_ name: String) async throws {
    try await FakeVM.with { vm in
      let scripts = vm.scripts()
      await #expect(throws: DroverError.self) { try await scripts.run(name, jobs: [], task: "t") }
      await #expect(throws: DroverError.self) { try await scripts.run("pre-start", jobs: [name], task: "t") }
    }
  }

  @Test("drains statically and dynamically, telling each round what it is")
  func drain() async throws {
    try await FakeVM.with { vm in
      try vm.write(
        "drain", job: "static",
        "echo \"static $* $BOSH_JOB_STATE $BOSH_JOB_NEXT_STATE\" >> \(vm.folder)/log; echo 0; exit 7")
      try vm.write(
        "drain", job: "dynamic",
        """
        echo "dynamic $* $BOSH_JOB_NEXT_STATE" >> \(vm.folder)/log-d
        if [ -e \(vm.folder)/asked ]; then echo 0; else touch \(vm.folder)/asked; echo -1; fi
        """)
      let request = DrainRequest(
        jobChange: .changed, hashChange: .new, changedPackages: ["z", "a"], persistentDisk: 3, nextPersistentDisk: 4)
      try await vm.scripts().drain(request, jobs: ["static", "dynamic", "none"], task: "t")
      #expect(
        Files.textIfPresent("\(vm.folder)/log")
          == "static job_changed hash_new a z {\"persistent_disk\":3} {\"persistent_disk\":4}\n")
      #expect(
        Files.textIfPresent("\(vm.folder)/log-d")
          == "dynamic job_changed hash_new a z {\"persistent_disk\":4}\ndynamic job_check_status hash_unchanged \n")
      #expect(try !Files.exists(vm.paths.logs(job: "static")))
    }
  }

  @Test("a drain that does not answer with an integer has failed")
  func drainFailures() async throws {
    try await FakeVM.with { vm in
      try vm.write("drain", job: "a", "echo soon")
      try vm.write("drain", job: "b", "echo 0", mode: 0o644)
      let scripts = vm.scripts()
      let error = await #expect(throws: DroverError.self) {
        try await scripts.drain(.shutdown(persistentDisk: 0), jobs: ["a", "b"], task: "t")
      }
      #expect(error?.message.hasPrefix("2 of 2 drain scripts failed. Failed Jobs: ") == true)
      let reasons = error.map { "\($0)" } ?? ""
      #expect(reasons.contains("a: Script did not return a signed integer"))
    }
  }

  @Test("a cancelled drain ends its script, or its pause; cancelling twice is fine")
  func cancelDrain() async throws {
    try await FakeVM.with { vm in
      try vm.write(
        "drain", job: "a", "echo $$ > \(vm.folder)/new; mv \(vm.folder)/new \(vm.folder)/run/a.pid; sleep 1000")
      try vm.write("drain", job: "b", "touch \(vm.folder)/b; echo 1000")
      let scripts = vm.scripts()
      let drain = Task { try await scripts.drain(.shutdown(persistentDisk: 0), jobs: ["a", "b"], task: "t") }
      try await until { try vm.process("a") != nil && Files.exists("\(vm.folder)/b") }
      let process = try #require(vm.process("a"))
      await scripts.cancelDrain(task: "t")
      await scripts.cancelDrain(task: "t")
      let error = await #expect(throws: DroverError.self) { try await drain.value }
      #expect(error?.code == .cancelled)
      #expect(!process.isAlive)
      await scripts.cancelDrain(task: "t")
    }
  }

  @Test("a drain goes on after a restart of the agent: no script runs twice, and no pause begins again")
  func drainAfterRestart() async throws {
    try await FakeVM.with { vm in
      try vm.write("drain", job: "a", "echo ran >> \(vm.folder)/count; echo 2")
      let first = Task { try await vm.scripts().drain(.shutdown(persistentDisk: 0), jobs: ["a"], task: "t") }
      try await until {
        Files.textIfPresent("\(vm.folder)/runs/t-drain-a-0/journal")?.contains("\"exit\"") ?? false
      }
      try await Task.sleep(for: .milliseconds(200))
      first.cancel()
      _ = await first.result
      try await vm.scripts().drain(.shutdown(persistentDisk: 0), jobs: ["a"], task: "t")
      #expect(Files.textIfPresent("\(vm.folder)/count") == "ran\n")
    }
  }
}
