import Files
import Formats
import Glibc
import Processes

/// The process of a nats-server, which outlives us and can be found again.
struct NATSProcess: Sendable, Hashable {
  let identity: ProcessIdentity

  var pid: Int { identity.pid }
  var isRunning: Bool { identity.isAlive }

  init(_ identity: ProcessIdentity) { self.identity = identity }

  /// Starts a server in a session of its own, its output appended to a log.
  init(_ arguments: [String], log: String) throws {
    let file = try OpenFile(appending: log, mode: 0o600)
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    let child = try DetachedProcess(arguments, environment: ["PATH": path], output: file.descriptor)
    // Not reaped before we do it, so its id is still its own.
    guard let stat = ProcessStat.read(pid: child.pid) else {
      throw DroverError(.failed, "starting \(arguments[0]): process \(child.pid) can't be found in /proc")
    }
    identity = ProcessIdentity(
      pid: child.pid, startTicks: stat.startTicks, bootID: ProcessIdentity.currentBootID)
  }

  /// The running processes whose arguments are exactly these, apart from the program's folder.
  static func all(withArguments arguments: [String]) -> [NATSProcess] {
    ProcessTable.snapshot().processes.keys.sorted().compactMap { pid in
      ProcessIdentity(livingPid: pid).map(NATSProcess.init)
    }.filter { $0.hasArguments(arguments) }
  }

  func hasArguments(_ arguments: [String]) -> Bool {
    func base(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }
    let found = identity.arguments
    guard let program = found.first, let wanted = arguments.first else { return false }
    return found.dropFirst() == arguments.dropFirst() && base(program) == base(wanted)
  }

  /// Sends a signal, unless the process is gone.
  func signal(_ number: Int32) { _ = try? identity.signal(number) }

  /// Waits until the process has ended, however it was started; takes its status if it is a child of ours.
  /// Returns early when the task is cancelled.
  func waitForExit() async {
    guard (try? await identity.waitForExit()) != nil else { return }
    var status: Int32 = 0
    waitpid(pid_t(identity.pid), &status, WNOHANG)
  }
}
