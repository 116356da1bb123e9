import CLinux
import Formats
import Glibc
import Synchronization

/// One thread that waits for descriptors on behalf of all tasks, so that waiting costs no thread of the pool and no
/// polling.
final class Readiness: Sendable {
  static let shared = Readiness()

  private struct State {
    var nextToken: UInt64 = 1
    var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    /// When those whose waiting has a limit are woken, in nanoseconds since boot.
    var deadlines: [UInt64: Int64] = [:]
    /// Up to when the thread sleeps. It is not woken when somebody has no need of that any more.
    var alarm = Int64.max
  }

  private let epoll: Int32
  private let state = Mutex(State())
  /// What wakes the thread before its time, under the token 0: it is written to at one end.
  private let bell: (listening: Int32, ringing: Int32)

  private init() {
    epoll = drover_epoll_create()
    var ends: [Int32] = [-1, -1]
    // With no descriptors left, whose waiting has a limit is woken late.
    _ = drover_pipe(&ends)
    bell = (ends[0], ends[1])
    _ = drover_epoll_add(epoll, bell.listening, 0, 0)
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let failed = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Readiness>.fromOpaque(context).takeRetainedValue().loop() }
        return nil
      }, context.toOpaque())
    if failed == 0 { pthread_detach(thread) }
  }

  /// Returns when the descriptor can be read (a pidfd: when the process has ended), or written, or the time has passed.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  func wait(_ fd: Int32, writable: Bool = false, atMost limit: Duration? = nil) async throws {
    let token = state.withLock { state in
      state.nextToken += 1
      return state.nextToken
    }
    defer { drover_epoll_remove(epoll, fd) }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enter(token, continuation, limit)
        if Task.isCancelled {
          take(token)?.resume(throwing: CancellationError())
        } else if drover_epoll_add(epoll, fd, writable ? 1 : 0, token) != 0 {
          let error = errno
          if error == EPERM {
            take(token)?.resume()  // a plain file: always ready
          } else {
            take(token)?.resume(throwing: systemError("waiting for descriptor \(fd)", error))
          }
        }
      }
    } onCancel: {
      take(token)?.resume(throwing: CancellationError())
    }
  }

  private func enter(_ token: UInt64, _ continuation: CheckedContinuation<Void, any Error>, _ limit: Duration?) {
    let isEarlier = state.withLock { state in
      state.waiters[token] = continuation
      guard let limit else { return false }
      let deadline = drover_boot_nanoseconds() + Int64(min(limit, .seconds(86400)) / .nanoseconds(1))
      state.deadlines[token] = deadline
      guard deadline < state.alarm else { return false }
      state.alarm = deadline
      return true
    }
    if isEarlier { ring() }
  }

  private func take(_ token: UInt64) -> CheckedContinuation<Void, any Error>? {
    state.withLock { state in
      state.deadlines[token] = nil
      return state.waiters.removeValue(forKey: token)
    }
  }

  private func ring() {
    var byte: UInt8 = 0
    _ = write(bell.ringing, &byte, 1)
  }

  private func silenceBell() {
    var bytes = (UInt64(0), UInt64(0))
    _ = read(bell.listening, &bytes, 16)
    drover_epoll_remove(epoll, bell.listening)
    _ = drover_epoll_add(epoll, bell.listening, 0, 0)
  }

  /// Wakes those whose time has passed.
  ///
  /// - Returns: how long to sleep then, in milliseconds; -1 for ever.
  private func wakeExpired() -> Int32 {
    let (expired, alarm, now) = state.withLock { state in
      let now = drover_boot_nanoseconds()
      guard state.alarm <= now else { return ([UInt64](), state.alarm, now) }
      let expired = state.deadlines.filter { $0.value <= now }.map(\.key)
      for token in expired { state.deadlines[token] = nil }
      state.alarm = state.deadlines.values.min() ?? .max
      return (expired, state.alarm, now)
    }
    for token in expired { take(token)?.resume() }
    return alarm == .max ? -1 : Int32(clamping: (alarm - now) / 1_000_000 + 1)
  }

  private func loop() {
    var tokens = [UInt64](repeating: 0, count: 64)
    while true {
      let count = drover_epoll_wait(epoll, &tokens, Int32(tokens.count), wakeExpired())
      if count < 0 {
        if errno == EINTR { continue }
        return
      }
      for token in tokens.prefix(Int(count)) {
        if token == 0 { silenceBell() } else { take(token)?.resume() }
      }
    }
  }
}
