import CLinux
import Files
import Formats
import Synchronization

/// The folder of one run: what the runner and those who attach to it tell each other, in files.
///
/// | file | written by | when |
/// | --- | --- | --- |
/// | `spec` | the starter | first; locked while a runner decides whether it is the one that runs the script |
/// | `journal` | the runner, created exclusively | before the script is executed: from then on it never is again |
/// | `stdout`, `stderr` | the script | unless they go to other files |
/// | `answer` | the script, if it was told to | before it ends |
///
/// The arguments and the environment of the script are in no file, since there may be secrets in them: the runner is handed
/// them when it is started. Its journal has a line for each thing that is known: who it is, who the script is once it runs,
/// and how the script ended.
///
/// Only the beginning of the journal is synced: after a power cut nothing runs any more, and what a run has not told its
/// starter is lost. What such a cut has damaged counts as something that is not there.
struct RunFolder: Sendable, Hashable {
  let path: String
  /// What was read of it before: nothing of what stands here once is changed.
  private let facts = RunFacts()

  init(path: String) { self.path = path }

  static func == (one: RunFolder, other: RunFolder) -> Bool { one.path == other.path }
  func hash(into hasher: inout Hasher) { hasher.combine(path) }

  private func file(_ name: String) -> String { "\(path)/\(name)" }
  var specFile: String { file("spec") }
  var journalFile: String { file("journal") }
  var answerFile: String { file("answer") }

  func outputFile(_ stream: OutputStream, _ spec: ScriptSpec) -> String {
    let output = stream == .stdout ? spec.stdout : spec.stderr
    if case .append(let path) = output { return path }
    return file(stream.rawValue)
  }

  func spec() throws -> ScriptSpec? {
    try facts.spec.once {
      try whole { try Files.bytes(specFile).map { try ScriptSpec(written: $0) } }
    }
  }

  func runner() throws -> ProcessIdentity? { try journal().runner }
  func script() -> ProcessIdentity? { (try? journal())?.script }
  func exit() throws -> ExitRecord? { try journal().exit }

  /// Whether no runner needs to be started for this run any more.
  func isDecided() throws -> Bool { try journal().size != nil }

  /// What the journal says by now. It is looked into when it has grown.
  private func journal() throws -> RunJournal {
    let known = facts.journal.withLock { $0 }
    if known.exit != nil { return known }
    guard let size = try Files.size(journalFile) else { return try olderJournal() }
    if size == known.size { return known }
    let bytes = try Files.read(journalFile)
    var journal = RunJournal(size: bytes.count)
    // What is not a whole line is being written, or was when the power went.
    let end = bytes.lastIndex(of: 0x0A) ?? 0
    for line in bytes[..<end].split(separator: 0x0A) { try whole { try take(Array(line), &journal) } }
    facts.journal.withLock { $0 = journal }
    return journal
  }

  /// What is in the place of a journal where an agent of an older version began the run: `started`, then `script.json`, at
  /// last `exit.json`. It must not be run again, so it has begun when the first of them is there, whatever they say.
  private func olderJournal() throws -> RunJournal {
    guard let started = try Files.bytes(file("started")) else { return RunJournal() }
    var journal = RunJournal(size: 0)
    journal.runner = try whole { try ProcessIdentity(JSON.parse(started)) }
    journal.script = try whole { try Files.bytes(file("script.json")).map { try ProcessIdentity(JSON.parse($0)) } }
    journal.exit = try whole {
      try Files.bytes(file("exit.json")).map {
        try ExitRecord(JSON.parse($0)) { number, stage in try why(number, stage) }
      }
    }
    return journal
  }

  private func take(_ line: [UInt8], _ journal: inout RunJournal) throws {
    let entry = try JSON.parse(line)
    if let value = entry["runner"] {
      journal.runner = try ProcessIdentity(value)
    } else if let value = entry["script"] {
      journal.script = try ProcessIdentity(value)
    } else if let value = entry["exit"] {
      journal.exit = try ExitRecord(value) { number, stage in try why(number, stage) }
    }
  }

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
  @discardableResult
  private func whole<T>(_ read: () throws -> T?) throws -> T? {
    do {
      return try read()
    } catch let error as DroverError where error.code == .invalid {
      return nil
    }
  }
}
