import CLinux
import Files
import Formats
import Glibc
import Surroundings
import Synchronization

/// Starts scripts so that each runs exactly once and its exit status is never lost with the process that started it
/// (design D7).
///
/// ```swift
/// let runner = ScriptRunner(directory: "/var/vcap/bosh/runs", runnerProgram: "/proc/self/exe")
/// let script = try await runner.start(id: taskID, ScriptSpec(["/var/vcap/jobs/web/bin/run"]))
/// let exit = try await script.wait()
/// try await runner.remove(id: taskID)
/// ```
///
/// ``start(id:_:)`` may be called again with the same id, at any time and by another process: the script is attached.
public actor ScriptRunner {
  /// Each run has a folder in here, named by its id.
  public nonisolated let directory: String
  private let runnerProgram: String
  private var starting: [String: Task<RunningScript, any Error>] = [:]
  /// The runs that were started or attached, with what is known of them.
  private nonisolated let folders = Mutex<[String: RunFolder]>([:])
  private nonisolated let begun = Waiters<String>()

  /// - Parameter runnerProgram: what is executed as the ``Runner``; `/proc/self/exe` is this program itself.
  public init(directory: String, runnerProgram: String) {
    self.directory = directory
    self.runnerProgram = runnerProgram
  }

  /// Starts the script, or attaches to it when one was started under this id. The spec of the first call counts.
  ///
  /// A script that cannot be executed is no error here: its exit is ``ScriptExit/notStarted(_:)``.
  public func start(id: String, _ spec: ScriptSpec) async throws -> RunningScript {
    let folder = try folder(id)
    if let task = starting[id] { return try await task.value }
    let task = Task { [runnerProgram] in try await Self.start(id, spec, folder, runnerProgram) }
    starting[id] = task
    defer { starting[id] = nil }
    let script = try await task.value
    folders.withLock { $0[id] = folder }
    begun.wake(id)
    return script
  }

  /// Returns when ``start(id:_:)`` has been called for one of these ids and has started the script; at once when that is
  /// so already. When the Swift task is cancelled, too.
  public nonisolated func waitUntilStarted(anyOf ids: [String]) async {
    await begun.wait(anyOf: ids) { folders.withLock { folders in ids.contains { folders[$0] != nil } } }
  }

  /// The script that was started under this id; nil when none was.
  public nonisolated func attach(id: String) throws -> RunningScript? {
    let folder = try folder(id)
    guard let spec = try folder.spec(), try folder.isDecided() else { return nil }
    folders.withLock { if $0[id] == nil { $0[id] = folder } }
    return RunningScript(id: id, spec: spec, folder: folder)
  }

  /// The ids of all runs that have not been removed, sorted.
  public nonisolated func list() throws -> [String] {
    try Files.names(in: directory).filter { (try? Self.check($0)) != nil }
  }

  /// Forgets a run: its output and exit status. One that still runs is a conflict; nothing there is fine.
  public func remove(id: String) throws {
    let folder = try folder(id)
    if let script = try attach(id: id), try script.exitIfEnded() == nil {
      throw DroverError(.conflict, "removing the run \(id): its script still runs; terminate it first")
    }
    folders.withLock { $0[id] = nil }
    try Files.remove(folder.path)
  }

  /// A file in the run's folder that the script may leave something in; gone when the run is forgotten.
  public nonisolated func answerFile(id: String) throws -> String { try folder(id).answerFile }

  private nonisolated func folder(_ id: String) throws -> RunFolder {
    try Self.check(id)
    return folders.withLock { $0[id] } ?? RunFolder(path: "\(directory)/\(id)")
  }

  /// An id names a folder: it must not lead out of its place.
  private static func check(_ id: String) throws {
    let allowed = id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard allowed, !id.isEmpty, !id.hasPrefix("."), id.utf8.count <= 200 else {
      throw DroverError(
        .invalid, "a run's id is 1 to 200 letters, digits, '-', '_' and '.', not beginning with '.': found '\(id)'")
    }
  }

  private static func start(
    _ id: String, _ spec: ScriptSpec, _ folder: RunFolder, _ program: String
  ) async throws -> RunningScript {
    try Files.makeFolder(folder.path, mode: 0o700)
    if try folder.spec() == nil {
      try Files.remove(folder.specFile)
      _ = try Files.create(folder.specFile, with: spec.keptBytes(), isDurable: false)
    }
    // A runner that was killed before it marked the script as started leaves it to the next one.
    var complaint = ""
    for _ in 0..<3 where try !folder.isDecided() { complaint = try await launch(folder, spec.inputBytes(), program) }
    guard try folder.isDecided() else {
      throw DroverError(
        .failed,
        "starting \(spec.arguments.first ?? "a script"): its runner \(program) "
          + "ended before it ran the script\(complaint.isEmpty ? "" : ": \(complaint)")")
    }
    return RunningScript(id: id, spec: try folder.spec() ?? spec.kept, folder: folder)
  }

  /// Starts a runner and waits until it runs the script, or has found that it must not. Returns what it said then.
  private static func launch(_ folder: RunFolder, _ input: [UInt8], _ program: String) async throws -> String {
    let file = drover_memory_file_of(input, input.count)
    guard file >= 0 else { throw systemError("handing a script its arguments") }
    defer { close(file) }
    var ends: [Int32] = [-1, -1]
    guard drover_pipe(&ends) == 0 else { throw systemError("starting a runner") }
    defer { close(ends[0]) }
    // The program's own name would be that of the process that opens it.
    let path = program == "/proc/self/exe" ? try ownExecutable() : program
    var spawn = Spawn(path: path, arguments: [Runner.name, folder.path], environment: Environment.current())
    spawn.directory = "/"
    spawn.input = file
    spawn.output = ends[1]
    spawn.errors = ends[1]
    spawn.separation = .detached
    do {
      _ = try spawn.start()
      close(ends[1])
    } catch {
      close(ends[1])
      throw error.error(path: path, directory: nil)
    }
    return try await said(ends[0])
  }

  /// What is written into a pipe until nobody has its other end any more; the last three lines.
  private static func said(_ pipe: Int32) async throws -> String {
    var text: [UInt8] = []
    while true {
      try await Readiness.shared.wait(pipe)
      let piece = try readSome(pipe)
      if piece.isEmpty { break }
      text = Array((text + piece).suffix(4096))
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").suffix(3).joined(separator: "; ")
  }

  private static func readSome(_ pipe: Int32) throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      var found = -1
      repeat { found = read(pipe, buffer.baseAddress, buffer.count) } while found < 0 && errno == EINTR
      failure = found < 0 ? errno : 0
      count = max(found, 0)
    }
    if failure != 0 { throw systemError("hearing a runner", failure) }
    return bytes
  }

  private static func ownExecutable() throws -> String {
    guard let path = try Files.linkText("/proc/self/exe") else {
      throw DroverError(.notFound, "finding this program's own file: there is no /proc/self/exe; is /proc mounted?")
    }
    // A program that was replaced while it runs is still there for those who ask the process itself.
    return Files.isVisible(path) ? path : "/proc/\(getpid())/exe"
  }
}
