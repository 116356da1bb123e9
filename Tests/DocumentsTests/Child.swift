import Glibc
import Testing

/// A process of a test, whose standard output is read line by line.
final class Child {
  private let pid: pid_t
  private let output: Int32
  private var pending: [UInt8] = []

  /// Starts one of this package's programs, which lies beside the tests.
  init(_ program: String, _ arguments: [String]) throws {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let tests = String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path = tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)] + "/" + program
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var words: [UnsafeMutablePointer<CChar>?] = ([String(path)] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var started: pid_t = 0
    let outcome = posix_spawn(&started, String(path), &actions, nil, &words, nil)
    close(ends[1])
    try #require(outcome == 0, "starting \(path): \(String(cString: strerror(outcome)))")
    pid = started
    output = ends[0]
  }

  deinit { close(output) }

  func kill() {
    Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }

  /// That many lines, or those there are until the output ends.
  func read(lines count: Int) -> [String] {
    var lines: [String] = []
    while lines.count < count, let line = next() { lines.append(line) }
    return lines
  }

  /// The complete lines until the output ends.
  func readToEnd() -> [String] { read(lines: .max) }

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
}
