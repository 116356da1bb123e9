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
  private enum Phase {
    case starting([CheckedContinuation<Void, any Error>])
    case ready
    case ended(DroverError)
  }

  private enum Waiting {
    case running
    case awaited(CheckedContinuation<JobEnd?, Never>)
    case ended(JobEnd?)
  }

  private struct State {
    var phase = Phase.starting([])
    var process: SandboxProcess?
    var jobs: [Int: Waiting] = [:]
    var nextJob = 1
    var ends: [CheckedContinuation<Void, Never>] = []
    /// The size of the process's address space when it was ready, in bytes.
    var addressSpace = 0
  }

  private let state = Mutex(State())
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// Starts the process; ``ready()`` tells when it can be used.
  func start(_ plan: SandboxPlan, ruby: String) {
    do {
      try BlockingThread.start { self.live(plan, ruby: ruby) }
    } catch {
      end(DroverError(.failed, "starting a process for templates", cause: error))
    }
  }

  /// Waits until the process is ready.
  ///
  /// - Throws: `DroverError` when it could not be started or has ended.
  func ready() async throws {
    try await withCheckedThrowingContinuation { continuation in
      state.withLock { state in
        switch state.phase {
        case .starting(let waiting): state.phase = .starting(waiting + [continuation])
        case .ready: continuation.resume()
        case .ended(let error): continuation.resume(throwing: error)
        }
      }
    }
  }

  /// Why the process has ended; nil while it is starting or running.
  var endError: DroverError? {
    state.withLock { if case .ended(let error) = $0.phase { error } else { nil } }
  }

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
    guard let job = order else {
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
    let end = await withCheckedContinuation { continuation in
      let known: JobEnd?? = state.withLock { state in
        if case .ended(let end) = state.jobs[job] {
          state.jobs[job] = nil
          return .some(end)
        }
        state.jobs[job] = .awaited(continuation)
        return .none
      }
      if let known { continuation.resume(returning: known) }
    }
    try Task.checkCancellation()
    return (reply, end)
  }

  /// Asks the process to end, which it does at once, and with it all jobs; ``ended()`` waits for it.
  func stop() {
    state.withLock { state in
      if let process = state.process { _ = shutdown(process.control, CInt(SHUT_RDWR)) }
    }
  }

  /// Waits until the process is gone.
  func ended() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if case .ended = state.phase { return true }
        state.ends.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  // MARK: Orders

  /// Hands the job's socket to the process. Returns the job's number, or nil when the process has ended.
  private func order(_ descriptor: CInt, _ limits: Limits) -> Int? {
    state.withLock { state in
      guard let process = state.process, case .ready = state.phase else { return nil }
      let job = state.nextJob
      state.nextJob += 1
      let order: Value = [
        "render": .int(job), "user": .int(Int(limits.user)), "memory": .int(state.addressSpace + limits.memory),
        "seconds": .double(limits.seconds),
      ]
      let bytes = JSON.bytes(order)
      guard drover_send_with_descriptor(process.control, bytes, bytes.count, descriptor) == 0 else { return nil }
      state.jobs[job] = .running
      return job
    }
  }

  private func kill(_ job: Int) {
    state.withLock { state in
      guard let process = state.process else { return }
      let bytes = JSON.bytes(["kill": .int(job)])
      _ = drover_send_with_descriptor(process.control, bytes, bytes.count, -1)
    }
  }

  // MARK: The thread

  /// Lives as long as the process.
  private func live(_ plan: SandboxPlan, ruby: String) {
    let process: SandboxProcess
    do {
      process = try SandboxProcess.start(plan, ruby: ruby)
    } catch {
      end(error as? DroverError ?? DroverError(.failed, "starting a sandbox for templates", cause: error))
      return
    }
    state.withLock { $0.process = process }
    let lastWords = listen(process)

    state.withLock { $0.process = nil }
    Glibc.kill(process.pid, SIGKILL)
    while waitpid(process.pid, nil, 0) < 0, errno == EINTR {}
    close(process.control)
    close(process.errors)
    var text = "the Ruby process for templates (\(ruby)) ended"
    if !lastWords.isEmpty { text += "; it said: \(lastWords)" }
    end(DroverError(.failed, text))
  }

  /// Reads reports until the process ends. Returns the end of what it wrote to its standard error.
  private func listen(_ process: SandboxProcess) -> String {
    var errors: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    func receive(_ descriptor: CInt) -> [UInt8] {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      return Array(buffer.prefix(max(0, count)))
    }
    var sources = [process.control, process.errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
      if poll(&sources, 2, -1) < 0 { continue }
      if sources[1].revents != 0 {
        let bytes = receive(process.errors)
        if bytes.isEmpty { sources[1].fd = -1 }
        errors = (errors + bytes).suffix(2000)
      }
      if sources[0].revents != 0 {
        let report = receive(process.control)
        guard !report.isEmpty else {
          // What it said last may have come together with its end.
          var last = pollfd(fd: process.errors, events: Int16(POLLIN), revents: 0)
          if sources[1].fd >= 0, poll(&last, 1, 100) > 0 { errors += receive(process.errors) }
          return String(decoding: errors.suffix(2000), as: UTF8.self)
        }
        take(report, process)
      }
    }
  }

  private func take(_ bytes: [UInt8], _ process: SandboxProcess) {
    guard let report = try? JSON.parse(bytes) else { return }
    if let version = report["ready"]?.string {
      let memory = ProcessMemory.of(process.pid)
      logger.info(
        "ruby is ready to render templates",
        metadata: [
          "version": "\(version)", "pid": "\(process.pid)", "resident_bytes": "\(memory?.resident ?? 0)",
        ])
      let waiting: [CheckedContinuation<Void, any Error>] = state.withLock { state in
        state.addressSpace = memory?.addressSpace ?? 0
        guard case .starting(let waiting) = state.phase else { return [] }
        state.phase = .ready
        return waiting
      }
      waiting.forEach { $0.resume() }
    } else if let job = report["ended"]?.int {
      finish(
        job, JobEnd(late: report["late"]?.bool ?? false, status: report["status"]?.int, signal: report["signal"]?.int))
    }
  }

  private func finish(_ job: Int, _ end: JobEnd?) {
    let waiting = state.withLock { state in
      let waiting = state.jobs[job]
      if case .awaited = waiting { state.jobs[job] = nil } else { state.jobs[job] = .ended(end) }
      return waiting
    }
    if case .awaited(let continuation) = waiting { continuation.resume(returning: end) }
  }

  private func end(_ error: DroverError) {
    let (phase, jobs, ends) = state.withLock { state in
      defer {
        state.phase = .ended(error)
        state.ends = []
      }
      return (state.phase, Array(state.jobs.keys), state.ends)
    }
    jobs.forEach { finish($0, nil) }
    if case .starting(let waiting) = phase { waiting.forEach { $0.resume(throwing: error) } }
    ends.forEach { $0.resume() }
  }
}
