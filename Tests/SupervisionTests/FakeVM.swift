import Files
import Glibc
import Logging
import Processes
import Surroundings
import TestSupport

@testable import Supervision

/// A VM's folders below a temporary one, with real processes; all that were started there are ended at the end.
struct FakeVM: Sendable {
  let paths: VMPaths
  var folder: String { paths.base }

  static func with<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: (FakeVM) async throws -> R
  ) async throws -> R {
    try await withTemporaryFolder { folder in
      let vm = FakeVM(paths: VMPaths(base: folder))
      try Files.makeFolder("\(folder)/run")
      try Files.makeFolder(vm.paths.controlFiles)
      do {
        let result = try await body(vm)
        await vm.endProcesses()
        return result
      } catch {
        await vm.endProcesses()
        throw error
      }
    }
  }

  func supervisor() throws -> Supervisor {
    try Supervisor(paths: paths, surroundings: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  func scripts() -> LifecycleScripts {
    LifecycleScripts(
      paths: paths,
      runner: ScriptRunner(directory: "\(folder)/runs", runnerProgram: TestProcess.path(of: "runner-fixture")),
      environment: ["PATH": "/nowhere", "TMPDIR": "/tmp", "LD_LIBRARY_PATH": "/x"], surroundings: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  func pidfile(_ name: String) -> String { "\(folder)/run/\(name).pid" }

  /// Nil also while there is no pidfile that can be read.
  func process(_ name: String) -> ProcessIdentity? { (try? Pidfile(pidfile(name)).process()) ?? nil }

  /// A service made of a control script like those of real jobs. What it does is added to the file `events`.
  func service(
    _ name: String, dependencies: [String] = [], start: String? = nil, stop: String? = nil,
    startTimeout: Duration = .seconds(300), stopTimeout: Duration = .seconds(300)
  ) throws -> ServiceDefinition {
    let startScript = start ?? "sleep 1000 & echo $! > \(pidfile(name))"
    let stopScript = stop ?? "kill $(cat \(pidfile(name)))"
    try writeTestFile(
      "\(folder)/\(name)-ctl",
      """
      #!/bin/sh
      echo "$1 \(name)" >> \(folder)/events
      case $1 in
      start) \(startScript) ;;
      stop) \(stopScript) ;;
      esac
      """, mode: 0o755)
    return ServiceDefinition(
      name: name, kind: .process(pidfile: pidfile(name)),
      start: ServiceProgram(["\(folder)/\(name)-ctl", "start"], timeout: startTimeout),
      stop: ServiceProgram(["\(folder)/\(name)-ctl", "stop"], timeout: stopTimeout), groups: ["vcap"],
      dependencies: dependencies)
  }

  var events: [String] {
    (Files.textIfPresent("\(folder)/events") ?? "").split(separator: "\n").map(String.init)
  }

  /// A program of a job.
  func write(_ name: String, job: String, _ text: String, mode: UInt32 = 0o755) throws {
    try Files.makeFolder("\(paths.job(job))/bin")
    try writeTestFile(paths.program(name, job: job), "#!/bin/sh\n" + text, mode: mode)
  }

  private func endProcesses() async {
    // Control scripts that still run: those of this folder, for other tests have services of the same names.
    for leader in ProcessTable.snapshot().sessionLeaders(having: [:])
    where leader.arguments.contains(where: { $0.hasPrefix("\(folder)/") && $0.hasSuffix("-ctl") }) {
      _ = try? ProcessFamily(id: leader.pid).signal(SIGKILL)
    }
    for name in (try? Files.names(in: "\(folder)/run")) ?? [] {
      if let process = process(String(name.dropLast(".pid".count))) { _ = try? process.signal(SIGKILL) }
    }
    let runner = ScriptRunner(directory: "\(folder)/runs", runnerProgram: "")
    for id in (try? runner.list()) ?? [] {
      _ = try? await runner.attach(id: id)?.terminate(grace: .zero)
    }
  }
}
