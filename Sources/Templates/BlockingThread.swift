import Formats
import Glibc

/// Threads for calls that block: they must not keep the threads of Swift's tasks, and a sandbox ends with the thread
/// that started it.
enum BlockingThread {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// - Throws: `DroverError` when the system has no more threads.
  static func start(_ body: @escaping @Sendable () -> Void) throws {
    let work = Unmanaged.passRetained(Work(body))
    var thread: pthread_t = 0
    let error = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard error == 0 else {
      work.release()
      throw systemError("starting a thread", error)
    }
    pthread_detach(thread)
  }
}
