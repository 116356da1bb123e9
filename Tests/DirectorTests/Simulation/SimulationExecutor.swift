import Dispatch
import Synchronization

/// Runs jobs one after the other in one thread, in the order in which they became ready, and says when none is left.
final class SimulationExecutor: TaskExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isRunning = false
    var idle: @Sendable () -> Void = {}
  }

  private let state = Mutex(State())
  private let thread = DispatchQueue(label: "drover.simulation")

  /// Says what is done whenever no job is ready. What that makes ready is run; when it makes nothing ready, all waits
  /// for somebody outside.
  func whenIdle(_ idle: @escaping @Sendable () -> Void) { state.withLock { $0.idle = idle } }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isRunning = state.withLock { state in
      state.jobs.append(job)
      defer { state.isRunning = true }
      return state.isRunning
    }
    if !isRunning { thread.async { self.run() } }
  }

  private func run() {
    while true {
      for job in takeJobs() { job.runSynchronously(on: asUnownedTaskExecutor()) }
      let idle = state.withLock { $0.jobs.isEmpty ? $0.idle : nil }
      idle?()
      let isOver = state.withLock { state in
        if state.jobs.isEmpty { state.isRunning = false }
        return !state.isRunning
      }
      if isOver { return }
    }
  }

  private func takeJobs() -> [UnownedJob] {
    state.withLock { state in
      defer { state.jobs = [] }
      return state.jobs
    }
  }
}
