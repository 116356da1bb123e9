import CLinux
import Files
import Formats

/// The folder of one run: what the runner and those who attach to it tell each other, in files.
///
/// | file | written by | when |
/// | --- | --- | --- |
/// | `spec` | the starter; once the script has ended it may lose its arguments and environment | first |
/// | `lock` | – | held while a runner decides whether it is the one that runs the script |
/// | `started` | the runner, created exclusively: who it is | before the script is executed: from then on it never is again |
/// | `script.json` | the runner | who the script is, once it runs |
/// | `stdout`, `stderr` | the script | unless they go to other files |
/// | `exit.json` | the runner | how the script ended |
/// | `answer` | the script, if it was told to | before it ends |
///
/// Only `started` is synced: after a power cut nothing runs any more, and what a run has not told its starter is lost. A file
/// that such a cut has damaged counts as one that is not there.
struct RunFolder: Sendable, Hashable {
  let path: String
  /// What was read of it before: nothing of what stands here once is changed by another process.
  private let facts = RunFacts()

  init(path: String) { self.path = path }

  static func == (one: RunFolder, other: RunFolder) -> Bool { one.path == other.path }
  func hash(into hasher: inout Hasher) { hasher.combine(path) }

  private func file(_ name: String) -> String { "\(path)/\(name)" }
  var specFile: String { file("spec") }
  var lockFile: String { file("lock") }
  var startedFile: String { file("started") }
  var scriptFile: String { file("script.json") }
  var exitFile: String { file("exit.json") }
  var logFile: String { file("runner.log") }
  var answerFile: String { file("answer") }

  func outputFile(_ stream: OutputStream, _ spec: ScriptSpec) -> String {
    let output = stream == .stdout ? spec.stdout : spec.stderr
    if case .append(let path) = output { return path }
    return file(stream.rawValue)
  }

  func spec() throws -> ScriptSpec? {
    try facts.spec.once {
      try whole { Files.exists(specFile) ? try ScriptSpec(written: Files.read(specFile)) : nil }
    }
  }
  func replaceSpec(_ spec: ScriptSpec) throws {
    try Files.replace(specFile, with: spec.bytes(), isDurable: false)
    facts.spec.change(to: spec)
  }
  func runner() throws -> ProcessIdentity? {
    try facts.runner.once { try read(startedFile, ProcessIdentity.init) }
  }
  func script() -> ProcessIdentity? { try? facts.script.once { try read(scriptFile, ProcessIdentity.init) } }
  func exit() throws -> ExitRecord? {
    try facts.exit.once {
      try whole { try read(exitFile) { try ExitRecord($0) { number, stage in try why(number, stage) } } }
    }
  }
  var isStarted: Bool { facts.runner.isKnown || Files.exists(startedFile) }

  /// Whether no runner needs to be started for this run any more.
  func isDecided() throws -> Bool { try isStarted || exit() != nil }

  /// Why a script could not be run, of which its runner keeps the number of the system's error and the step.
  private func why(_ number: Int32, _ stage: UInt32) throws -> String {
    guard let spec = try spec() else { return systemErrorText(number) }
    switch drover_runner_stage(stage) {
    case DROVER_RUNNER_STDOUT: return "opening \(outputFile(.stdout, spec)): \(systemErrorText(number))"
    case DROVER_RUNNER_STDERR: return "opening \(outputFile(.stderr, spec)): \(systemErrorText(number))"
    default:
      return Spawn.Failure(number: number, stage: drover_spawn_stage(stage)).text(
        path: spec.arguments.first ?? "", directory: spec.directory)
    }
  }

  /// Nil for what a power cut has damaged.
  private func whole<T>(_ read: () throws -> T?) throws -> T? {
    do {
      return try read()
    } catch let error as DroverError where error.code == .invalid {
      return nil
    }
  }

  private func read<T>(_ path: String, _ make: (Value) throws -> T) throws -> T? {
    guard Files.exists(path) else { return nil }
    return try make(JSON.parse(Files.read(path)))
  }
}
