import Formats
import Testing

@testable import BPM

@Suite("JobConfiguration")
struct ConfigurationTests {
  private func read(_ text: String) throws -> [ProcessConfiguration] {
    try JobConfiguration(Array(text.utf8), root: "/var/vcap", job: "web", path: "bpm.yml").processes
  }

  private func process(_ members: String) throws -> ProcessConfiguration {
    let text =
      "processes:\n- name: web\n  executable: /x\n" + members.split(separator: "\n").map { "  \($0)\n" }.joined()
    return try #require(try read(text).first)
  }

  @Test("An empty file has no processes; unknown keys mean nothing; only the first document counts")
  func empty() throws {
    #expect(try read("").isEmpty)
    #expect(try read("processes:\n").isEmpty)
    #expect(try read("other: 1\nprocesses: []\n---\n- 1\n").isEmpty)
    #expect(try process("Executable: 1\nlimits: {speed: 9}").executable == "/x")
  }

  @Test("Strings keep their spelling; null items are dropped, null variables are empty")
  func strings() throws {
    let found = try process("args: [12, true, 1.50, 0x10, yes, 0o7, ~, '']\nenv: {A: 1, B: ~, C: on}")
    #expect(found.arguments == ["12", "true", "1.50", "0x10", "yes", "0o7", ""])
    #expect(found.environment == ["A": "1", "B": "", "C": "on"])
  }

  @Test("Every key is read")
  func allKeys() throws {
    let found = try process(
      """
      workdir: /w
      hooks: {pre_start: /p}
      capabilities: [KILL]
      limits: {memory: 1G, open_files: 1e3, processes: 100, core_file_size: 0x10, cpu: {shares: 512, quota: 0.5}}
      ephemeral_disk: yes
      persistent_disk: on
      additional_volumes: [{path: /var/vcap/data/x, writable: true, allow_executions: y, mount_only: on, shared: 'yes'}, ~]
      unsafe: {privileged: true, unrestricted_volumes: [{path: /a*}], host_pid_namespace: true}
      shutdown_signal: INT
      shutdown_timeout: 2.5
      devices: [{path: /dev/fuse, permissions: rw}]
      executable_tmp: true
      syslog: true
      """)
    var volume = ProcessConfiguration.Volume("/var/vcap/data/x")
    volume.isWritable = true
    volume.allowsExecutions = true
    volume.isMountOnly = true
    volume.isShared = true
    #expect(found.workingDirectory == "/w" && found.preStartHook == "/p" && found.capabilities == ["KILL"])
    #expect(found.limits.memory == "1G" && found.limits.openFiles == 1000 && found.limits.processes == 100)
    #expect(found.limits.coreFileSize == 16 && found.limits.cpuShares == 512 && found.limits.cpuQuota == 0.5)
    #expect(found.ephemeralDisk && found.persistentDisk && found.volumes == [volume])
    #expect(found.unsafe.isPrivileged && found.unsafe.usesHostProcesses)
    #expect(found.unsafe.unrestrictedVolumes == [.init("/a*")])
    #expect(found.shutdownSignal == "INT" && found.shutdownTimeout == .seconds(2.5))
    #expect(found.devices == [.init(path: "/dev/fuse", permissions: "rw")])
    #expect(found.executableTemporaryFolders && found.syslog)
    #expect(found.lines["limits.memory"] == 7)
  }

  @Test("What the original does not have is off by default")
  func defaults() throws {
    let found = try process("")
    #expect(found.shutdownTimeout == nil && found.devices.isEmpty && found.limits == .init())
    #expect(!found.executableTemporaryFolders && !found.syslog && found.preStartHook == nil)
  }

  @Test(
    "Broken rules are told in the original's words, with job, process, key and line",
    arguments: [
      ("executable: /x", "invalid config: name (job web, process without a name, key name, line 2 of bpm.yml)"),
      ("name: a", "invalid config: executable (job web, process a, key executable, line 2 of bpm.yml)"),
      (
        "name: a\n  executable: x\n  additional_volumes:\n  - path: /var/vcap/data/../x",
        "volume path must be canonical, expected /var/vcap/x but got /var/vcap/data/../x (job web, process a, "
          + "key additional_volumes[0].path, line 5 of bpm.yml)"
      ),
      (
        "name: a\n  executable: x\n  additional_volumes: [{}]",
        "volume path must be canonical, expected . but got  (job web, process a, "
      ),
      (
        "name: a\n  executable: x\n  additional_volumes: [{path: /var/vcap/data/web}]",
        "invalid volume path: /var/vcap/data/web cannot conflict with default job data or store directories (job"
      ),
      (
        "name: a\n  executable: x\n  additional_volumes: [{path: /var/vcapx/y}]",
        "invalid volume path: /var/vcapx/y must be within /var/vcap (job web"
      ),
      (
        "name: a\n  executable: x\n  shutdown_signal: HUP",
        "shutdown signal should either be 'TERM' or 'INT' (or left unspecified), but got 'HUP' (job web, process a, "
          + "key shutdown_signal, line 4 of bpm.yml)"
      ),
      ("name: a/b\n  executable: x", "invalid process name \"a/b\": it must not have a slash in it (job web"),
      ("name: ..\n  executable: x", "invalid process name \"..\": it means a folder by itself (job web"),
      ("name: a\n  executable: x\n  devices: [{path: /etc/x}]", "device path must be a canonical path below /dev"),
      ("name: a\n  executable: x\n  shutdown_timeout: -1", "shutdown timeout should be between"),
      ("name: a\n  executable: x\n  limits: {cpu: {quota: 0}}", "cpu quota should be a number of CPUs"),
    ])
  func rules(members: String, message: String) {
    let error = #expect(throws: DroverError.self) { try read("processes:\n- \(members)\n") }
    #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test("A null process is an error and no crash")
  func nullProcess() {
    let error = #expect(throws: DroverError.self) { try read("processes: [null]\n") }
    #expect(error?.message.hasPrefix("invalid config: name (job web") == true)
  }

  @Test(
    "Values of the wrong type are told all at once, in the original's words and with their process and key",
    arguments: [
      ("args: foo", "  line 4: cannot unmarshal !!str `foo` into []string (process web, key args)"),
      ("limits: []", "  line 4: cannot unmarshal !!seq into config.Limits (process web, key limits)"),
      (
        "limits: {open_files: -1}",
        "  line 4: cannot unmarshal !!int `-1` into uint64 (process web, key limits.open_files)"
      ),
      ("limits: {open_files: '5'}", "  line 4: cannot unmarshal !!str `5` into uint64"),
      ("ephemeral_disk: maybe-not-today", "  line 4: cannot unmarshal !!str `maybe-n...` into bool"),
      ("env: {A: [1]}", "  line 4: cannot unmarshal !!seq into string (process web, key env.A)"),
      ("ephemeral_disk: 'true'", "  line 4: cannot unmarshal !!str `true` into bool"),
    ])
  func types(member: String, message: String) {
    let error = #expect(throws: DroverError.self) { try process(member) }
    #expect(error?.message.contains("yaml: unmarshal errors:\n\(message)") == true, "\(String(describing: error))")
    #expect(error?.message.hasSuffix("in bpm.yml of job web") == true)
  }

  @Test("Both of two mistakes are told")
  func twoMistakes() {
    let error = #expect(throws: DroverError.self) { try process("args: a\nhooks: b") }
    #expect(error?.message.split(separator: "\n").count == 4)
  }

  @Test("A key that is there twice is refused, with both lines")
  func duplicates() {
    let error = #expect(throws: DroverError.self) { try process("name: b") }
    #expect(error?.message.contains("bpm.yml line 4 column 3: key 'name' is there already, in line 2") == true)
  }

  @Test("Large, deep and multiplying files are refused")
  func hostile() {
    let deep = "processes: " + String(repeating: "[", count: 5000)
    let large = "processes: [] # " + String(repeating: "x", count: 10 << 20)
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      bomb += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
    }
    for text in [deep, large, bomb] {
      let error = #expect(throws: DroverError.self) { try read(text) }
      #expect(error?.code == .tooLarge)
    }
  }

  @Test("Anchors and merge keys work; a process's own keys win")
  func merging() throws {
    let found = try read(
      "base: &base {executable: /b, args: [1]}\nprocesses:\n- <<: *base\n  name: a\n  args: [2]\n")
    #expect(found.map(\.executable) == ["/b"] && found.map(\.arguments) == [["2"]])
  }

  @Test(
    "Memory is a number and a unit",
    arguments: [
      ("1G", 1 << 30), ("1.5G", 3 << 29), ("512 ", nil), ("100m", 100 << 20), (" 2KiB ", 2048), ("7B", 7),
      ("1GB", 1 << 30), ("-1G", nil), ("G", nil), ("1X", nil), ("1 G", nil), ("0M", 0), ("1E", 1 << 60), ("99E", nil),
    ])
  func memory(text: String, bytes: Int?) { #expect(MemoryAmount.bytes(text) == bytes) }

  @Test("Volumes of the command line have options")
  func runVolumes() throws {
    let volume = try RunOverrides.volume("/a:writable,shared")
    #expect(volume.path == "/a" && volume.isWritable && volume.isShared && !volume.isMountOnly)
    for (text, message) in [
      ("/a:b:c", "invalid volume definition (format: <path>[:<options>]): /a:b:c"),
      ("/a:x", "invalid volume option: x"), ("/a:", "invalid volume option: "),
    ] {
      let error = #expect(throws: DroverError.self) { try RunOverrides.volume(text) }
      #expect(error?.message == message)
    }
    let variable = try RunOverrides.variable("A=b=c")
    #expect(variable.name == "A" && variable.value == "b=c")
    #expect(throws: DroverError.self) { try RunOverrides.variable("A") }
  }

  @Test(
    "Paths are cleaned as Go does it",
    arguments: [
      ("", "."), ("/", "/"), ("a//b/", "a/b"), ("/a/./b/../c", "/a/c"), ("../a", "../a"), ("/..", "/"), ("a/..", "."),
    ])
  func cleaning(path: String, clean: String) { #expect(CleanPath.clean(path) == clean) }
}
