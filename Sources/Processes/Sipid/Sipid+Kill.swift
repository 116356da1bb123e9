import CLinux
import Formats
import Glibc
public import Surroundings

extension Sipid {
  /// How long a process may take to end by itself.
  public static let patience: Duration = .seconds(20)

  /// Ends the process of a pidfile with SIGTERM, and after ``patience`` with SIGKILL, and removes the file. A process that
  /// does not run any more is no failure; its file stays.
  ///
  /// - Parameters:
  ///   - showsStacks: whether SIGQUIT comes before SIGKILL, upon which programs in Go and Java print their stacks.
  ///   - patience: how long after SIGTERM.
  public static func kill(
    _ path: String, showsStacks: Bool, patience: Duration = Sipid.patience, surroundings: Surroundings = .system
  ) throws {
    let file = ClaimedPidfile(path: path)
    guard let process = file.process(try file.number()) else { return }
    let descriptor = drover_pidfd_open(Int32(clamping: process.pid))
    guard descriptor >= 0 else {
      if errno == ESRCH { return }
      throw SipidFailure.system("watching", "process \(process.pid)")
    }
    defer {
      close(descriptor)
      unlink(path)
    }
    // The descriptor is of whoever has the pid now.
    guard process.isAlive else { return }
    guard try send(SIGTERM, descriptor) else { return }
    if ends(descriptor, within: patience, surroundings) { return }
    if showsStacks {
      guard try send(SIGQUIT, descriptor) else { return }
      // Time to write the stacks; what SIGQUIT has ended by then is not there for SIGKILL.
      _ = ends(descriptor, within: .milliseconds(100), surroundings)
      _ = try? send(SIGKILL, descriptor)
    } else {
      _ = try send(SIGKILL, descriptor)
    }
  }

  /// - Returns: false when the process has ended.
  private static func send(_ signal: Int32, _ descriptor: Int32) throws -> Bool {
    if drover_pidfd_send_signal(descriptor, signal) == 0 { return true }
    if errno == ESRCH { return false }
    throw DroverError(.failed, SipidFailure.reason(errno))
  }

  /// Whether a process ends in time; a zombie has ended.
  private static func ends(_ descriptor: Int32, within limit: Duration, _ surroundings: Surroundings) -> Bool {
    let deadline = surroundings.elapsed() + limit
    while true {
      let rest = max(.zero, deadline - surroundings.elapsed())
      var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let count = poll(&watched, 1, Int32(clamping: rest.wholeMilliseconds + (rest == .zero ? 0 : 1)))
      if count > 0 { return true }
      if surroundings.elapsed() >= deadline { return false }
    }
  }
}
