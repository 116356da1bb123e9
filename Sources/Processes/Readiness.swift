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
  }

  private let epoll: Int32
  private let state = Mutex(State())

  private init() {
    epoll = drover_epoll_create()
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

  /// Returns when the descriptor can be read (a pidfd: when the process has ended), or written.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  func wait(_ fd: Int32, writable: Bool = false) async throws {
    let token = state.withLock { state in
      state.nextToken += 1
      return state.nextToken
    }
    defer { drover_epoll_remove(epoll, fd) }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { $0.waiters[token] = continuation }
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

  private func take(_ token: UInt64) -> CheckedContinuation<Void, any Error>? {
    state.withLock { $0.waiters.removeValue(forKey: token) }
  }

  private func loop() {
    var tokens = [UInt64](repeating: 0, count: 64)
    while true {
      let count = drover_epoll_wait(epoll, &tokens, Int32(tokens.count), -1)
      if count < 0 {
        if errno == EINTR { continue }
        return
      }
      for token in tokens.prefix(Int(count)) { take(token)?.resume() }
    }
  }
}
