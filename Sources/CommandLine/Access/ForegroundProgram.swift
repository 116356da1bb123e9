import Formats
import Glibc

/// A program that has the terminal: it reads and writes what this one would.
enum ForegroundProgram {
  /// Runs it to its end, whatever the terminal's interrupt key says meanwhile: that is for the program.
  ///
  /// - Parameter variables: added to its environment.
  /// - Returns: its exit code; 128 + signal when a signal ended it.
  static func run(_ arguments: [String], variables: [String: String] = [:]) async throws -> Int32 {
    let pid = try start(arguments, variables)
    return await withCheckedContinuation { continuation in
      var thread = pthread_t()
      let waiter = Waiter(pid: pid, continuation: continuation)
      let argument = Unmanaged.passRetained(waiter).toOpaque()
      // A thread of its own: the program may run for hours, and others beside it.
      let failed = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue().wait() }
          return nil
        }, argument)
      if failed != 0 {
        Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue().wait()
      } else {
        pthread_detach(thread)
      }
    }
  }

  private static func start(_ arguments: [String], _ variables: [String: String]) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGINT, SIGQUIT] {
      signal(number, SIG_IGN)
      sigaddset(&defaults, number)
    }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    let environment = GlobalOptions.variables.merging(variables) { $1 }.map { "\($0.key)=\($0.value)" }
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, arguments[0], nil, &attributes, &argv, &envp)
    guard result == 0 else {
      let hint = result == ENOENT ? "; is it installed (Debian: openssh-client)?" : ""
      throw DroverError(.failed, "starting \(arguments[0]): \(systemErrorText(result))\(hint)")
    }
    return pid
  }

  private final class Waiter {
    let pid: pid_t
    let continuation: CheckedContinuation<Int32, Never>

    init(pid: pid_t, continuation: CheckedContinuation<Int32, Never>) {
      self.pid = pid
      self.continuation = continuation
    }

    func wait() {
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7F
      continuation.resume(returning: signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
    }
  }
}
