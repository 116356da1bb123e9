import CLinux
import Formats
import Glibc
import Surroundings

/// A ``Command`` that has been started.
///
/// Its streams are files in memory, not pipes: nothing has to be fed or drained while it runs, a process that it leaves
/// behind cannot hold its end open, and stopping it never breaks a pipe.
struct RunningCommand {
  private let command: Command
  private let pid: Int
  private let output: MemoryFile
  private let errors: MemoryFile

  /// Starts the program.
  init(_ command: Command) throws {
    guard let program = command.arguments.first, !program.isEmpty else {
      throw DroverError(.invalid, "running a command: it has no name")
    }
    let environment = command.environment ?? Environment.current()
    guard let path = Environment.find(program, path: environment["PATH"]) else {
      throw DroverError(.notFound, "running \(command.line): \(program) is not installed (not found in PATH)")
    }
    let input = try command.input.isEmpty ? nil : MemoryFile(command.input)
    output = try MemoryFile()
    errors = try MemoryFile()
    var spawn = Spawn(path: path, arguments: command.arguments, environment: environment)
    spawn.directory = command.directory
    spawn.input = input?.fd
    spawn.output = command.showsOutput ? STDOUT_FILENO : output.fd
    spawn.errors = command.showsOutput ? STDERR_FILENO : errors.fd
    do {
      pid = try spawn.start()
    } catch {
      throw error.error(path: path, directory: command.directory)
    }
    self.command = command
  }

  /// Waits for the end; ends the process group when time is over or the task is cancelled.
  func finish() async throws -> CommandResult {
    let ending: Ending
    do {
      ending = try await endingInTime()
    } catch {
      // In a task of its own: this one may be cancelled, and a cancelled task cannot wait.
      await Task { [pid] in
        _ = try? await ProcessFamily(id: pid).terminate(grace: .seconds(2))
        _ = try? await Child(pid: pid).ending()
      }.value
      throw error
    }
    let said = try output.size()
    guard said <= command.maximumOutput else {
      throw DroverError(
        .tooLarge, "\(command.line): wrote \(said) bytes; at most \(command.maximumOutput) are expected")
    }
    let complained = try errors.size()
    let kept = 64 << 10
    return CommandResult(
      ending: ending, output: try output.read(from: 0, count: said),
      errors: try errors.read(from: max(0, complained - kept), count: min(complained, kept)))
  }

  private func endingInTime() async throws -> Ending {
    let child = Child(pid: pid)
    guard let timeout = command.timeout else { return try await child.ending() }
    return try await withThrowingTaskGroup(of: Ending.self) { group in
      group.addTask { try await child.ending() }
      group.addTask { [line = command.line] in
        try await Surroundings.system.sleep(timeout)
        throw DroverError(.timeout, "\(line): did not end within \(timeout)")
      }
      defer { group.cancelAll() }
      guard let ending = try await group.next() else { throw CancellationError() }
      return ending
    }
  }
}

/// A process that this one started and has to reap.
struct Child: Sendable {
  let pid: Int

  /// Waits for its end and takes its status; once only.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile; it can be asked again then.
  func ending() async throws -> Ending {
    let fd = drover_pidfd_open(Int32(pid))
    defer { if fd >= 0 { close(fd) } }
    while true {
      var code: Int32 = 0
      var signalled: Int32 = 0
      switch drover_reap(Int32(pid), 0, &code, &signalled) {
      case 1: return signalled == 1 ? .signalled(Int(code)) : .exited(Int(code))
      case 0 where fd >= 0: try await Readiness.shared.wait(fd)
      case 0: try await Surroundings.system.sleep(.milliseconds(20))
      default: throw systemError("waiting for process \(pid)")
      }
    }
  }
}

/// A file without a name that lives in memory.
final class MemoryFile: Sendable {
  let fd: Int32

  init() throws {
    fd = drover_memory_file()
    guard fd >= 0 else { throw systemError("making a file in memory") }
  }

  /// A file with these bytes, to be read from its beginning.
  convenience init(_ bytes: [UInt8]) throws {
    try self.init()
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress?.advanced(by: written), $0.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw systemError("writing a file in memory") }
      written += count
    }
    lseek(fd, 0, SEEK_SET)
  }

  deinit { close(fd) }

  func size() throws -> Int {
    var information = stat()
    guard fstat(fd, &information) == 0 else { throw systemError("reading captured output") }
    return Int(information.st_size)
  }

  func read(from offset: Int, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var position = 0
    while position < count {
      let read = bytes.withUnsafeMutableBytes {
        pread(fd, $0.baseAddress?.advanced(by: position), count - position, off_t(offset + position))
      }
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw systemError("reading captured output") }
      if read == 0 { break }
      position += read
    }
    bytes.removeLast(count - position)
    return bytes
  }
}
