import AgentProtocol
import Files
import Formats
import Processes
import Testing

@testable import Agent

/// The agent is killed with SIGKILL after every observable step of a job's life, started again, and asked again, as a
/// director does. Each life must end in the same state: every script ran once, the service ran once and in one process.
@Suite struct KillTests {
  /// When the agent is killed.
  enum Moment: Sendable, CustomStringConvertible {
    /// As soon as the request has been sent.
    case sent
    /// So many milliseconds after it has been sent, wherever that is.
    case later(Int)
    /// When it has been answered, with a task or with its value.
    case answered
    /// When the trace has this line.
    case traced(String)
    /// When there is this file, below the base folder.
    case made(String)
    /// When this file has this text, with the life's number for `N`.
    case holds(String, String)
    /// When its task is over.
    case over

    var description: String {
      switch self {
      case .sent: "sent"
      case .later(let time): "\(time) ms later"
      case .answered: "answered"
      case .traced(let line): "traced \(line)"
      case .made(let path): "made \(path)"
      case .holds(let path, let text): "\(path) holds \(text)"
      case .over: "over"
      }
    }
  }

  struct Step: Sendable {
    let name: String
    let method: String
    var script: String?
    let moments: [Moment]

    init(_ name: String, _ method: String, script: String? = nil, _ moments: [Moment]) {
      self.name = name
      self.method = method
      self.script = script
      self.moments = moments
    }
  }

  static let steps = [
    Step(
      "apply", "apply",
      [.sent, .answered, .holds("jobs/web/bin/ctl", "trace-N"), .holds("bosh/spec.json", "hash-N"), .over]),
    Step("pre-start", "run_script", script: "pre-start", moments("pre-start")),
    Step(
      "start", "start",
      [.sent, .made("monit/job/0000_web.monitrc"), .traced("start begin"), .traced("start end"), .answered] + someTime),
    Step("post-start", "run_script", script: "post-start", moments("post-start")),
    Step("errand", "run_errand", script: "run", moments("run")),
    Step("drain", "drain", script: "drain", moments("drain")),
    Step("stop", "stop", [.sent, .answered, .traced("stop begin"), .traced("stop end"), .over] + someTime),
    Step("post-stop", "run_script", script: "post-stop", moments("post-stop")),
  ]

  /// Between a program's being on record, its being forked and its being executed, among others.
  private static let someTime: [Moment] = [3, 6, 9, 12, 16, 20, 30, 60].map { .later($0) }

  private static func moments(_ script: String) -> [Moment] {
    [.sent, .answered, .traced("\(script) begin"), .traced("\(script) end"), .over]
  }

  @Test(
    "killed at every moment of a step, the agent ends where one that lived would have",
    arguments: KillTests.steps.map(\.name))
  func everyStep(name: String) async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let step = try #require(Self.steps.first { $0.name == name })
      for (number, moment) in step.moments.enumerated() {
        let life = Life(test: test, number: number)
        try await life.run(killing: step.name, at: moment)
      }
    }
  }

  @Test("killed after every step of one life, it ends there as well")
  func everyStepOfOneLife() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      try await Life(test: test, number: 0).run(killing: nil, at: .over)
    }
  }

  /// One life of a job, from its installation to its end.
  struct Life {
    let test: AgentProcess
    let number: Int

    var base: String { test.base }
    var tracePath: String { "\(base)/trace-\(number)" }
    /// In the command line of the service's process, and nobody else's.
    let marker = "86\(UInt32.random(in: 1_000_000...4_000_000_000))"

    /// - Parameter victim: the step that is interrupted; nil interrupts after each.
    func run(killing victim: String?, at moment: Moment) async throws {
      let comment: Comment = "\(victim ?? "every step"), \(moment)"
      let spec = try spec()
      var process: Int?
      for step in KillTests.steps {
        let id = "\(step.name)-\(number)"
        let arguments = arguments(of: step, spec)
        if victim == step.name { try await interrupt(step, arguments, id, moment) }
        let value = try await test.insist(step.method, arguments, id: id)
        #expect(value == result(of: step), comment)
        if victim == nil {
          await test.kill()
          try await test.start()
          #expect(try await test.insist(step.method, arguments, id: id) == result(of: step), comment)
        }
        if step.name == "start" {
          try await waitFor("running") { try await test.call("get_state")["job_state"]?.string }
          process = try Pidfile("\(base)/sys/run/web/web.pid").process()?.pid
          let started = try #require(process, comment)
          // What has just been started may not have been executed yet.
          try await waitFor([started]) { processes() }
        }
        if step.name == "errand" { #expect(processes() == [process], comment) }
      }
      #expect(processes() == [], comment)
      #expect(try await test.call("get_state")["job_state"] == "stopped", comment)
      let trace = (Files.textIfPresent(tracePath) ?? "").split(separator: "\n").map(String.init)
      #expect(trace == Self.expected, comment)
    }

    /// What a life leaves behind, whatever happened to the agent meanwhile.
    static let expected = ["pre-start", "start", "post-start", "run", "drain", "stop", "post-stop"].flatMap {
      ["\($0) begin", "\($0) end"]
    }

    private func interrupt(_ step: Step, _ arguments: [Value], _ id: String, _ moment: Moment) async throws {
      switch moment {
      case .sent: try await test.send(step.method, arguments, id: id)
      case .later(let time):
        try await test.send(step.method, arguments, id: id)
        try await Task.sleep(for: .milliseconds(time))
      case .answered: _ = try await test.request(step.method, arguments, id: id)
      case .traced(let line):
        try await test.send(step.method, arguments, id: id)
        try await waitFor(true) {
          (Files.textIfPresent(tracePath) ?? "").split(separator: "\n").contains { $0 == line }
        }
      case .made(let path):
        try await test.send(step.method, arguments, id: id)
        try await waitFor(true) { try Files.exists("\(base)/\(path)") }
      case .holds(let path, let text):
        try await test.send(step.method, arguments, id: id)
        let wanted = text.dropLast() + "\(number)"
        try await waitFor(true) { (Files.textIfPresent("\(base)/\(path)") ?? "").contains(wanted) }
      case .over: _ = try await test.insist(step.method, arguments, id: id)
      }
      await test.kill()
      try await test.start()
    }

    private func arguments(of step: Step, _ spec: ApplySpec) -> [Value] {
      switch step.name {
      case "apply": [spec.value]
      case "errand": ["web"]
      case "drain": ["shutdown"]
      case "start", "stop": []
      default: [.string(step.name), [:]]
      }
    }

    private func result(of step: Step) -> Value {
      switch step.name {
      case "apply": "applied"
      case "start": "started"
      case "stop": "stopped"
      case "drain": 0
      case "errand": ErrandResult(stdout: "out\n", stderr: "", exitCode: 3).value
      default: [:]
      }
    }

    private func spec() throws -> ApplySpec {
      func script(_ name: String, _ rest: String = "") -> String {
        "#!/bin/bash\necho \(name) begin >> \(tracePath)\nsleep 0.2\necho \(name) end >> \(tracePath)\n\(rest)\n"
      }
      let pidfile = "\(base)/sys/run/web/web.pid"
      let control = """
        check process web
          with pidfile \(pidfile)
          start program "\(base)/jobs/web/bin/ctl start"
          stop program "\(base)/jobs/web/bin/ctl stop"
          group vcap

        """
      let ctl = """
        #!/bin/bash
        echo $1 begin >> \(tracePath)
        sleep 0.2
        case $1 in
          start) setsid sleep \(marker) </dev/null >/dev/null 2>&1 & echo $! > \(pidfile) ;;
          stop) echo stop end >> \(tracePath); kill $(cat \(pidfile)); rm -f \(pidfile) ;;
        esac
        [ $1 = start ] && echo start end >> \(tracePath)

        """
      let files = [
        "monit": control, "bin/ctl": ctl, "bin/pre-start": script("pre-start"), "bin/post-start": script("post-start"),
        "bin/post-stop": script("post-stop"), "bin/drain": script("drain", "echo 0"),
        "bin/run": script("run", "echo out; exit 3"),
      ]
      var spec = try BadContentTests.spec(test.folder, jobs: [("web", files)], content: "life \(number)")
      spec.configurationHash = "hash-\(number)"
      return spec
    }

    /// The processes of this life's service.
    private func processes() -> [Int] {
      ((try? Files.names(in: "/proc")) ?? []).compactMap { Int($0) }.filter { pid in
        Files.textIfPresent("/proc/\(pid)/cmdline") == "sleep\0\(marker)\0"
      }
    }
  }
}
