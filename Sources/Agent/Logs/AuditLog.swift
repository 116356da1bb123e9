import Glibc
import Processes
import Surroundings
import Synchronization

/// Tells the machine's syslog what was asked of the agent, under the tag `vcap.agent` (reference/agent.md 20). It never
/// waits: what syslog does not take now is kept, within a limit, and sent later.
final class AuditLog: Sendable {
  /// Kept at most while there is no syslog. Then the later ones are dropped: what came first is what began it.
  static let maximumKept = 256

  private struct State {
    var descriptor: Int32 = -1
    var kept: [AuditEvent] = []
    /// As it was when syslog was found: the machine is named before that.
    var hostName = ""
    /// Not before.
    var nextTry = Duration.zero
  }

  private let path: String
  private let surroundings: Surroundings
  private let hostName: @Sendable () -> String
  private let state = Mutex(State())

  /// - Parameter path: of syslog's socket; empty for none.
  init(path: String, surroundings: Surroundings, hostName: @escaping @Sendable () -> String = { Accounts.hostName() }) {
    self.path = path
    self.surroundings = surroundings
    self.hostName = hostName
  }

  deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

  func write(_ event: @autoclosure () -> AuditEvent) {
    guard !path.isEmpty else { return }
    state.withLock { state in
      // Nobody takes it, and no more is kept.
      if state.descriptor < 0, state.kept.count == Self.maximumKept, surroundings.elapsed() < state.nextTry { return }
      var event = event()
      event.time = surroundings.now().seconds
      if !state.kept.isEmpty || !send(event, &state) {
        if state.kept.count < Self.maximumKept { state.kept.append(event) }
        flush(&state)
      }
    }
  }

  /// Sends what was kept as soon as there is somebody to take it, until the task is cancelled.
  func run() async throws {
    guard !path.isEmpty else { return }
    while true {
      let before = state.withLock { $0.kept.count }
      let after = state.withLock { state in
        flush(&state)
        return state.kept.count
      }
      // Syslog takes a few at a time.
      try await surroundings.sleep(after > 0 && after < before ? .milliseconds(20) : .seconds(2))
    }
  }

  private func flush(_ state: inout State) {
    var sent = 0
    for event in state.kept {
      guard send(event, &state) else { break }
      sent += 1
    }
    state.kept.removeFirst(sent)
  }

  private func send(_ event: AuditEvent, _ state: inout State) -> Bool {
    guard connect(&state) else { return false }
    let bytes = Array(Self.packet(event, hostName: state.hostName, process: getpid()).utf8)
    let count = bytes.withUnsafeBytes { buffer in
      Glibc.send(state.descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }
    if count >= 0 { return true }
    switch errno {
    case EAGAIN, ENOBUFS, EINTR: return false
    // Too long for it: it is lost, and the next ones are not.
    case EMSGSIZE: return true
    default:
      close(state.descriptor)
      state.descriptor = -1
      return false
    }
  }

  /// At most ten times a second.
  private func connect(_ state: inout State) -> Bool {
    if state.descriptor >= 0 { return true }
    let now = surroundings.elapsed()
    guard now >= state.nextTry else { return false }
    state.nextTry = now + .milliseconds(100)
    guard access(path, F_OK) == 0 else { return false }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = Array(path.utf8)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard name.count < place.count else { return false }
      place.copyBytes(from: name)
      return true
    }
    let connected =
      fits
      && withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
      }
    guard connected else {
      close(descriptor)
      return false
    }
    state.descriptor = descriptor
    state.hostName = hostName()
    return true
  }

  /// As syslog's socket takes it: priority, local time, tag and process. The priority has no facility, as that of BOSH's
  /// agent has none: 7 (debug), or 3 (error).
  static func packet(_ event: AuditEvent, hostName: String, process: Int32) -> String {
    "<\(event.isFailure ? 3 : 7)>\(stamp(event.time)) vcap.agent[\(process)]: \(event.line(hostName: hostName))\n"
  }

  private static func stamp(_ time: Int) -> String {
    var time = time_t(time)
    var parts = tm()
    localtime_r(&time, &parts)
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ number: Int32, _ fill: String = "0") -> String { number < 10 ? "\(fill)\(number)" : "\(number)" }
    let day = "\(months[Int(max(0, min(11, parts.tm_mon)))]) \(two(parts.tm_mday, " "))"
    return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}

/// Who writes down what comes over a bus, and from where it comes.
struct AuditTrail: Sendable {
  let log: AuditLog
  let host: String
  let port: Int

  func note(_ method: String, replyTo: String?, failure: String? = nil) {
    log.write(AuditEvent.message(method: method, replyTo: replyTo, server: (host, port), failure: failure))
  }
}
