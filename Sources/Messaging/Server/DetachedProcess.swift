import CLinux
import Dispatch
import Files
import Formats
import Glibc

/// A process in a session of its own, which outlives us and can be found again: by its id and the time it began.
struct DetachedProcess: Sendable, Hashable {
  var pid: pid_t
  /// When it began, in clock ticks since the machine did (`/proc/<pid>/stat`, field 22): ids are used again, this not.
  var started: Int

  /// Starts a program without anything of ours but its arguments: own session, no open files, output to a log.
  static func start(_ arguments: [String], log: String) throws -> DetachedProcess {
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    argv.append(nil)
    var environment: [UnsafeMutablePointer<CChar>?] = [
      strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), nil,
    ]
    defer { for pointer in argv + environment { free(pointer) } }
    var pid: pid_t = 0
    let status = drover_spawn_detached(arguments[0], &argv, &environment, log, &pid)
    guard status == 0 else {
      throw DroverError(.failed, "starting \(arguments[0]): \(String(cString: strerror(status)))")
    }
    // Not reaped before we do it, so its id is still its own.
    guard let began = try stat(pid)?.started else {
      throw DroverError(.failed, "starting \(arguments[0]): process \(pid) can't be found in /proc")
    }
    return DetachedProcess(pid: pid, started: began)
  }

  /// The process with this id, if one is running (a zombie is not).
  static func running(_ pid: pid_t) -> DetachedProcess? {
    guard let stat = try? stat(pid), stat.state != "Z", stat.state != "X" else { return nil }
    return DetachedProcess(pid: pid, started: stat.started)
  }

  /// The running processes whose arguments are exactly these, apart from the program's folder.
  static func all(withArguments arguments: [String]) -> [DetachedProcess] {
    guard let stream = opendir("/proc") else { return [] }
    defer { closedir(stream) }
    var found: [DetachedProcess] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let pid = pid_t(name), let process = running(pid), process.hasArguments(arguments) else { continue }
      found.append(process)
    }
    return found
  }

  var isRunning: Bool { Self.running(pid) == self }

  func hasArguments(_ arguments: [String]) -> Bool {
    guard let bytes = try? SmallFile.read("/proc/\(pid)/cmdline") else { return false }
    let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
      .map { String(decoding: $0, as: UTF8.self) }
    func base(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }
    return parts.count == arguments.count && parts.dropFirst() == arguments.dropFirst()
      && base(parts[0]) == base(arguments[0])
  }

  /// Sends a signal, unless the process is gone.
  func signal(_ signal: Int32) {
    if isRunning { kill(pid, signal) }
  }

  /// Waits until the process has ended, however it was started; takes its status if it is a child of ours.
  /// Returns early when the task is cancelled.
  func waitForExit() async {
    let descriptor = drover_pidfd_open(pid)
    guard descriptor >= 0 else { return }
    // A process whose first thread has ended may still have others: the descriptor knows, /proc does not.
    guard (try? Self.stat(pid))?.started == started else {
      close(descriptor)
      return
    }
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
    source.setEventHandler { continuation.finish() }
    source.setCancelHandler { close(descriptor) }
    source.activate()
    for await _ in stream {}
    source.cancel()
    if !Task.isCancelled { reap() }
  }

  private func reap() {
    var status: Int32 = 0
    waitpid(pid, &status, WNOHANG)
  }

  private static func stat(_ pid: pid_t) throws -> (state: Character, started: Int)? {
    guard let text = try SmallFile.text("/proc/\(pid)/stat"), let name = text.lastIndex(of: ")") else { return nil }
    // After the name, which may hold anything: state is field 3, the start field 22.
    let fields = text[name...].dropFirst().split(separator: " ")
    guard fields.count > 19, let state = fields[0].first, let started = Int(fields[19]) else { return nil }
    return (state, started)
  }
}
