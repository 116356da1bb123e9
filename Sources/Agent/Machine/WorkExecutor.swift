import Glibc
import Synchronization

/// A few threads for work that blocks: unpacking, hashing, copying. The agent's own tasks stay on the shared pool, so
/// that a ping is answered while all of these are busy.
final class WorkExecutor: TaskExecutor {
  static let shared = WorkExecutor(threads: 4)

  private let queue: WorkQueue

  init(threads: Int) {
    let queue = WorkQueue()
    self.queue = queue
    for _ in 0..<threads { queue.startThread(for: self) }
  }

  func enqueue(_ job: consuming ExecutorJob) { queue.add(UnownedJob(job)) }
}

/// Jobs that wait for a thread.
private final class WorkQueue: Sendable {
  private struct State {
    var jobs: [UnownedJob] = []
    var head = 0
  }

  private let state = Mutex(State())
  private let available: Semaphore

  init() { available = Semaphore() }

  func add(_ job: UnownedJob) {
    state.withLock { $0.jobs.append(job) }
    available.signal()
  }

  private func next() -> UnownedJob? {
    available.wait()
    return state.withLock { state in
      guard state.head < state.jobs.count else { return nil }
      let job = state.jobs[state.head]
      state.head += 1
      if state.head == state.jobs.count {
        state.jobs.removeAll(keepingCapacity: true)
        state.head = 0
      }
      return job
    }
  }

  func startThread(for executor: WorkExecutor) {
    let box = Unmanaged.passRetained(
      ThreadBody { [weak executor] in
        while true {
          guard let job = self.next() else { continue }
          guard let executor else { return }
          job.runSynchronously(on: executor.asUnownedTaskExecutor())
        }
      })
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, box.toOpaque())
    if result == 0 { pthread_detach(thread) } else { box.release() }
  }
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A counting semaphore.
private final class Semaphore: Sendable {
  private nonisolated(unsafe) let pointer = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(pointer, 0, 0) }
  deinit {
    sem_destroy(pointer)
    pointer.deallocate()
  }

  func signal() { sem_post(pointer) }
  func wait() { while sem_wait(pointer) != 0, errno == EINTR {} }
}
