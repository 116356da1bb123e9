import CLinux
import Formats
import Glibc
import Surroundings

/// The small process that runs one script, waits for it and writes down how it ended, whatever becomes of the process
/// that asked for it (design D7).
///
/// An executable that starts scripts calls ``main(folder:)`` before anything else when its arguments are
/// `runner FOLDER`: no threads, no event loops, no concurrency pool.
public enum Runner {
  /// Runs the script of a run folder; never more than once, however often runners are started for it.
  ///
  /// Standard output is a pipe to the starter, closed when the script runs or cannot.
  public static func main(folder path: String) -> Never {
    signal(SIGHUP, SIG_IGN)
    signal(SIGINT, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    do {
      try run(RunFolder(path: path))
      exit(0)
    } catch {
      let message = Array("runner: \(path): \(error)\n".utf8)
      _ = message.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      exit(1)
    }
  }

  static func run(_ folder: RunFolder) throws {
    // Held until the script runs: a second runner waits for the decision of the first one, and then leaves.
    let lock = try LockFile.acquire(folder.lockFile)
    guard !folder.isStarted, try folder.exit() == nil else { return }
    guard let identity = ProcessIdentity.current() else {
      throw DroverError(.failed, "cannot read its own start time from /proc")
    }
    let spec = try folder.spec()
    // From here on, and whatever happens, the script is not executed by anybody else.
    guard try Files.create(folder.startedFile, with: JSON.bytes(identity.value)) else { return }

    let pid: Int
    do {
      pid = try start(spec, folder)
    } catch {
      try finish(folder, .notStarted("\(error)"))
      return
    }
    if let script = ProcessIdentity(pidOfOwnChild: pid) {
      try Files.replace(folder.scriptFile, with: JSON.bytes(script.value), isDurable: false)
    }
    lock.release()
    closeReadyPipe()
    let exit = wait(pid)
    try finish(folder, exit, sizes(of: spec, folder))
  }

  private static func start(_ spec: ScriptSpec, _ folder: RunFolder) throws -> Int {
    guard let program = spec.arguments.first, !program.isEmpty else {
      throw DroverError(.invalid, "running a script: it has no name")
    }
    let output = try open(folder.outputFile(.stdout, spec))
    let errors = try open(folder.outputFile(.stderr, spec))
    defer {
      close(output)
      close(errors)
    }
    var spawn = Spawn(path: program, arguments: spec.arguments, environment: spec.environment)
    spawn.directory = spec.directory
    spawn.cgroup = spec.cgroup
    spawn.output = output
    spawn.errors = errors
    spawn.separation = .session
    spawn.niceness = spec.niceness
    spawn.umask = spec.umask
    spawn.uid = spec.uid
    spawn.gid = spec.gid
    do {
      return try spawn.start()
    } catch {
      throw error.error(path: program, directory: spec.directory)
    }
  }

  private static func open(_ path: String) throws -> Int32 {
    let before = umask(0)
    defer { umask(before) }
    return try Files.openDescriptor(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
  }

  private static func wait(_ pid: Int) -> ScriptExit {
    var code: Int32 = 0
    var signalled: Int32 = 0
    guard drover_reap(Int32(pid), 1, &code, &signalled) == 1 else { return .lost }
    return signalled == 1 ? .signalled(Int(code)) : .exited(Int(code))
  }

  /// How much the script has printed into files of its own.
  private static func sizes(of spec: ScriptSpec, _ folder: RunFolder) -> [OutputStream: Int] {
    var sizes: [OutputStream: Int] = [:]
    for (stream, output) in [(OutputStream.stdout, spec.stdout), (.stderr, spec.stderr)] where output == .own {
      sizes[stream] = Files.size(folder.outputFile(stream, spec))
    }
    return sizes
  }

  /// Writes down how the script ended. A full disk may pass, so it is tried for as long as it takes.
  private static func finish(_ folder: RunFolder, _ exit: ScriptExit, _ sizes: [OutputStream: Int]? = nil) throws {
    let record = ExitRecord(exit, ended: Surroundings.system.now(), sizes: sizes)
    while true {
      do {
        return try Files.replace(folder.exitFile, with: JSON.bytes(record.value))
      } catch {
        guard Files.exists(folder.path) else { throw error }
        sleep(1)
      }
    }
  }

  private static func closeReadyPipe() {
    let null = Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard null >= 0 else { return }
    dup2(null, STDOUT_FILENO)
    close(null)
  }
}

extension ProcessIdentity {
  /// A child that has not been reaped: its pid is its own, even when it has ended already.
  init?(pidOfOwnChild pid: Int) {
    guard let stat = ProcessStat.read(pid: pid) else { return nil }
    self.init(pid: pid, startTicks: stat.startTicks, bootID: Self.currentBootID)
  }
}
