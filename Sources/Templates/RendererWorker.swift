import CLinux
import Formats
import Glibc
import Logging
import Surroundings
import Synchronization

/// A Ruby process with everything loaded that forks a confined process for each job.
///
/// A thread of its own starts it, reads what it reports, and collects it when it ends; the process ends when that thread
/// or this server ends.
final class RendererWorker: Sendable {
  struct State {
    /// While it runs.
    var process: SandboxProcess?
    var isReady = false
    var isStopped = false
    /// The ends of the jobs that run, of which those are not told that the worker ends with.
    var jobs: [Int: Promise<JobEnd?>] = [:]
    var lastJob = 0
    /// The size of the process's address space when it was ready, in bytes.
    var addressSpace = 0
  }

  let state = Mutex(State())
  /// Why the process never was ready; nil when it is.
  let readiness = Promise<DroverError?>()
  /// Why the process has ended.
  let end = Promise<DroverError>()
  let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// Starts the process; ``ready()`` tells when it can be used.
  func start(_ plan: SandboxPlan, ruby: String) {
    do {
      try BlockingThread.start { self.live(plan, ruby: ruby) }
    } catch {
      hasEnded(DroverError(.failed, "starting a process for templates", cause: error))
    }
  }

  /// Waits until the process is ready.
  ///
  /// - Throws: `DroverError` when it could not be started.
  func ready() async throws { if let error = await readiness.value() { throw error } }

  /// Why the process has ended; nil while it is starting or running.
  var endError: DroverError? { end.known }

  /// The process's id on this machine, for those who want to measure it.
  var pid: Int? { state.withLock { $0.process.map { Int($0.pid) } } }

  /// What one job may use.
  struct Limits {
    var user: UInt32
    var memory: Int
    var seconds: Double
    var output: Int
  }

  /// Sends one job to a process of its own and brings its answer home.
  ///
  /// - Returns: nil for the end when the worker itself has ended meanwhile.
  func perform(_ request: [UInt8], _ limits: Limits) async throws -> (reply: JobSocket.Reply, end: JobEnd?) {
    let (socket, other) = try JobSocket.pair()
    let order = order(other, limits)
    close(other)
    guard let (job, jobEnd) = order else {
      stop()
      await ended()
      return (JobSocket.Reply(), nil)
    }
    let reply: JobSocket.Reply
    do {
      reply = try await withTaskCancellationHandler {
        try await blocking { socket.exchange(request, limit: limits.output) }
      } onCancel: {
        socket.hangUp()
        kill(job)
      }
    } catch {
      kill(job)
      throw error
    }
    if reply.tooLarge { kill(job) }
    let end = await jobEnd.value()
    try Task.checkCancellation()
    return (reply, end)
  }

  /// Asks the process to end, which it does at once, and with it all jobs; ``ended()`` waits for it. One that is only being
  /// started ends as soon as it can be asked.
  func stop() {
    state.withLock { state in
      state.isStopped = true
      if let process = state.process { _ = shutdown(process.control, CInt(SHUT_RDWR)) }
    }
  }

  /// Waits until the process is gone.
  func ended() async { _ = await end.value() }

  // MARK: Orders

  /// Hands the job's socket to the process. Returns the job's number and its end, or nil when the process has ended.
  private func order(_ descriptor: CInt, _ limits: Limits) -> (job: Int, end: Promise<JobEnd?>)? {
    state.withLock { state in
      guard let process = state.process, state.isReady else { return nil }
      state.lastJob += 1
      let order: Value = [
        "render": .int(state.lastJob), "user": .int(Int(limits.user)),
        "memory": .int(state.addressSpace + limits.memory), "seconds": .double(limits.seconds),
      ]
      let bytes = JSON.bytes(order)
      guard drover_send_with_descriptor(process.control, bytes, bytes.count, descriptor) == 0 else { return nil }
      let end = Promise<JobEnd?>()
      state.jobs[state.lastJob] = end
      return (state.lastJob, end)
    }
  }

  private func kill(_ job: Int) {
    state.withLock { state in
      guard let process = state.process else { return }
      let bytes = JSON.bytes(["kill": .int(job)])
      _ = drover_send_with_descriptor(process.control, bytes, bytes.count, -1)
    }
  }
}
