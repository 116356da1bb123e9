import Files
import Formats
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Supervision

@Suite struct ServiceOrderTests {
  private func service(_ name: String, _ dependencies: String...) -> ServiceDefinition {
    ServiceDefinition(name: name, kind: .process(pidfile: "/p"), dependencies: dependencies, place: "f line 1")
  }

  @Test("finds who depends on a service")
  func dependents() {
    let services = [service("a"), service("b", "a"), service("c", "a", "b")]
    #expect(ServiceOrder.dependents(of: "a", in: services) == ["b", "c"])
    #expect(ServiceOrder.dependents(of: "c", in: services).isEmpty)
  }

  @Test("refuses doubled names, missing dependencies and circles")
  func check() throws {
    try ServiceOrder.check([service("a"), service("b", "a")])
    try ServiceOrder.check([service("b", "a"), service("a")])
    let cases: [([ServiceDefinition], String)] = [
      ([service("a"), service("a")], "already defined"), ([service("a", "z")], "depends on 'z', which is not defined"),
      ([service("a", "b"), service("b", "a")], "in a circle: a → b → a"), ([service("a", "a")], "in a circle: a → a"),
    ]
    for (services, text) in cases {
      let error = #expect(throws: DroverError.self) { try ServiceOrder.check(services) }
      #expect(error?.message.contains(text) ?? false)
    }
  }
}

@Suite struct UsableServicesTests {
  private func service(_ name: String, _ dependencies: String...) -> ServiceDefinition {
    ServiceDefinition(name: name, kind: .process(pidfile: "/p"), dependencies: dependencies, place: "\(name)'s line 1")
  }

  @Test("what cannot be supervised is told service by service, and concerns no other")
  func usable() {
    let (services, mistakes) = ServiceOrder.usable([
      service("web"), service("kubelet", "docker"), service("web", "x"), service("proxy", "kubelet"), service("a", "b"),
      service("b", "c"), service("c", "b"), service("db", "web"),
    ])
    #expect(services.map(\.name) == ["web", "db"])
    #expect(
      mistakes.map(\.message) == [
        "web's line 1: service 'web' is already defined in web's line 1",
        "kubelet's line 1: service 'kubelet' depends on 'docker', which is not defined",
        "proxy's line 1: service 'proxy' depends on 'kubelet', which cannot be supervised",
        "b's line 1: services depend on each other in a circle: b → c → b",
        "c's line 1: services depend on each other in a circle: b → c → b",
        "a's line 1: service 'a' depends on 'b', which cannot be supervised",
      ])
  }
}

@Suite struct JobStateTests {
  private func status(
    _ monitoring: ServiceStatus.Monitoring, _ failure: ServiceEvent? = nil
  ) -> ServiceStatus {
    ServiceStatus(
      name: "x", kind: .system, groups: [], monitoring: monitoring,
      failures: failure.map { [ServiceFailure($0, "")] } ?? [])
  }

  @Test("follows from the services as the agent's reference says")
  func states() {
    #expect(JobState.of([], isStopped: false) == .running)
    #expect(JobState.of([status(.yes)], isStopped: false) == .running)
    #expect(JobState.of([status(.yes)], isStopped: true) == .stopped)
    #expect(JobState.of([status(.yes), status(.no)], isStopped: false) == .failing)
    #expect(JobState.of([status(.yes), status(.yes, .doesNotExist)], isStopped: false) == .failing)
    #expect(JobState.of([status(.no), status(.starting)], isStopped: false) == .starting)
  }

  @Test("a service's own state follows from monit's numbers")
  func service() {
    #expect(status(.no).state == .unknown)
    #expect(status(.starting).state == .starting)
    #expect(status(.yes).state == .running)
    #expect(status(.yes, .executionFailed).state == .failing)
  }
}

@Suite struct DrainRequestTests {
  private func spec(_ jobs: [String], _ hash: String?, _ packages: [String: String], _ disk: Int) -> DrainRequest.Spec {
    DrainRequest.Spec(jobs: jobs, configurationHash: hash, packages: packages, persistentDisk: disk)
  }

  @Test("tells a shutdown")
  func shutdown() {
    let request = DrainRequest.shutdown(persistentDisk: 5)
    #expect(request.arguments(round: 0) == ["job_shutdown", "hash_unchanged"])
    #expect(request.environment(round: 0) == ["BOSH_JOB_STATE": #"{"persistent_disk":5}"#])
  }

  @Test("tells an update with its hash and the packages that are new or changed, sorted")
  func update() {
    let old = spec(["a"], "1", ["same": "1", "changed": "1", "gone": "1"], 5)
    let new = spec(["a"], "2", ["same": "1", "changed": "2", "added": "1"], 0)
    let request = DrainRequest.update(from: old, to: new)
    #expect(request.arguments(round: 0) == ["job_changed", "hash_changed", "added", "changed"])
    #expect(
      request.environment(round: 0) == [
        "BOSH_JOB_STATE": #"{"persistent_disk":5}"#, "BOSH_JOB_NEXT_STATE": #"{"persistent_disk":0}"#,
      ])
    #expect(
      DrainRequest.update(from: spec([], nil, [:], 0), to: new).arguments(round: 0).prefix(2) == [
        "job_new", "hash_new",
      ])
    #expect(DrainRequest.update(from: old, to: old).arguments(round: 0) == ["job_changed", "hash_unchanged"])
  }

  @Test("asks for the status in later rounds, without packages and next state")
  func status() {
    let request = DrainRequest.update(from: spec(["a"], "1", [:], 5), to: spec(["a"], "2", ["p": "1"], 7))
    #expect(request.arguments(round: 1) == ["job_check_status", "hash_unchanged"])
    #expect(request.environment(round: 1) == ["BOSH_JOB_STATE": #"{"persistent_disk":5}"#])
  }

  @Test(
    "understands signed integers alone",
    arguments: [
      ("0", 0), (" 10\n", 10), ("-5\n", -5), ("+3", 3), ("", nil), ("ten", nil), ("1 2", nil), ("1.5", nil),
      ("99999999999999999999", nil), ("-9223372036854775808", nil),
    ] as [(String, Int?)])
  func answers(_ text: String, _ seconds: Int?) {
    #expect(DrainRequest.answer(Array(text.utf8)) == seconds)
  }
}

@Suite struct LifecycleSummaryTests {
  private func message(_ results: [(String, String?)]) -> String? {
    do {
      try LifecycleSummary(name: "pre-start", results: results.map { .init(job: $0.0, failure: $0.1) }).check()
      return nil
    } catch let error as DroverError {
      return error.message
    } catch {
      return "\(error)"
    }
  }

  @Test("says how many failed, which did, and which did not")
  func texts() {
    #expect(message([]) == nil)
    #expect(message([("a", nil)]) == nil)
    #expect(message([("a", "x")]) == "1 of 1 pre-start scripts failed. Failed Jobs: a.")
    #expect(
      message([("b", "x"), ("c", nil), ("a", "y"), ("d", nil)])
        == "2 of 4 pre-start scripts failed. Failed Jobs: b, a. Successful Jobs: c, d.")
  }
}

@Suite struct SupervisorMemoryTests {
  @Test("is the same after it was written down, and empty when there is none")
  func form() throws {
    var memory = SupervisorMemory()
    memory.services["a"] = ServiceMemory(isMonitored: false, process: nil)
    memory.services["b"] = ServiceMemory(
      isMonitored: true, process: ProcessIdentity(pid: 7, startTicks: .max, bootID: "x"), programs: [.start: 12],
      restarts: 2, cycles: 3)
    #expect(SupervisorMemory(try JSON.parse(JSON.bytes(memory.value))) == memory)
    #expect(try SupervisorMemoryFile(path: "/nowhere", logger: KeptLog().logger)["a"] == nil)
    // What is there and cannot be read is not forgotten.
    #expect(throws: DroverError.self) { try SupervisorMemoryFile(path: "/proc", logger: KeptLog().logger) }
    #expect(SupervisorMemory(["services": ["a": 5, "b": ["process": "x"]]]).services["b"]?.isMonitored == true)
  }

  @Test(
    "One that is damaged is put aside and logged, and what can be understood of it counts",
    arguments: [
      ("", "unexpected end"), (#"{"services":{"a":{"monitored":false}"#, "expected ',' or '}'"),
      ("{}", "there is no object 'services' in it"),
      (
        #"{"services":{"a":{"monitored":false},"b":{"restarts":2},"c":5}}"#,
        "it does not say of 'b', 'c' whether it is monitored"
      ),
    ])
  func damaged(text: String, found: String) async throws {
    try await withTemporaryFolder { folder in
      let (path, log) = ("\(folder)/supervisor.json", KeptLog())
      try writeTestFile(path, text)
      let file = try SupervisorMemoryFile(path: path, logger: log.logger)
      #expect(file["a"]?.isMonitored == (text.hasSuffix("5}}") ? false : nil))
      #expect(try Files.names(in: folder) == ["supervisor.json.damaged"])
      #expect(Files.textIfPresent("\(path).damaged") == text)
      let line = try #require(log.all.first)
      #expect(line.contains(found) && line.contains(path) && line.contains("\(path).damaged"), "\(line)")
      // The next life finds what this one knows, and says nothing of it.
      try file.set("b", ServiceMemory(isMonitored: false))
      #expect(try SupervisorMemoryFile(path: path, logger: log.logger)["b"]?.isMonitored == false)
      #expect(log.all.count == 1)
    }
  }
}

@Suite struct RFC822Tests {
  @Test(
    "writes dates as mail does",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
      (1_795_252_984, "Sat, 21 Nov 2026 09:23:04 +0000"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"),
    ])
  func dates(_ seconds: Int, _ text: String) {
    #expect(RFC822.text(Timestamp(seconds: seconds)) == text)
  }
}
