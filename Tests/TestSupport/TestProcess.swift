import CLinux
import Files
import Glibc

/// A process of a test, whose standard output is read line by line.
public final class TestProcess {
  private let pid: pid_t
  private let output: Int32
  private var pending: [UInt8] = []
  private var ended = false

  /// Starts one of this package's programs, which lie beside the tests.
  public convenience init(program: String, _ arguments: [String]) throws {
    try self.init(path: Self.path(of: program), arguments)
  }

  /// Where one of this package's programs is.
  public static func path(of program: String) -> String {
    let tests = (try? Files.linkText("/proc/self/exe")) ?? ""
    return tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)] + "/" + program
  }

  /// Starts the program at `path`, with no environment but a `PATH`.
  public init(path: String, _ arguments: [String]) throws {
    var ends: [Int32] = [0, 0]
    // Closed in children from the first moment on: one of another test that had an end would keep the pipe open.
    guard drover_pipe(&ends) == 0 else {
      throw NotStarted(path: path, reason: String(cString: strerror(errno)))
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
    defer { for word in environment { free(word) } }
    var started: pid_t = 0
    let outcome = posix_spawn(&started, path, &actions, nil, &words, &environment)
    close(ends[1])
    pid = started
    output = ends[0]
    guard outcome == 0 else {
      ended = true
      throw NotStarted(path: path, reason: String(cString: strerror(outcome)))
    }
  }

  deinit {
    kill()
    close(output)
  }

  /// Ends it with SIGKILL, if it has not been done yet.
  public func kill() {
    if ended { return }
    ended = true
    Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }

  /// That many lines, or those there are until the output ends.
  public func read(lines count: Int) -> [String] {
    var lines: [String] = []
    while lines.count < count, let line = next() { lines.append(line) }
    return lines
  }

  /// The complete lines until the output ends.
  public func readToEnd() -> [String] { read(lines: .max) }

  private func next() -> String? {
    while true {
      if let end = pending.firstIndex(of: 0x0A) {
        defer { pending.removeFirst(end + 1) }
        return String(decoding: pending[..<end], as: UTF8.self)
      }
      var chunk = [UInt8](repeating: 0, count: 65_536)
      let count = Glibc.read(output, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      pending += chunk.prefix(count)
    }
  }

  struct NotStarted: Error {
    let path: String
    let reason: String
  }
}
