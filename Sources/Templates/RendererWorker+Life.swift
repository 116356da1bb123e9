import CLinux
import Formats
import Glibc
import Logging
import Surroundings
import Synchronization

/// What a worker's thread does.
extension RendererWorker {
  /// Lives as long as the process.
  func live(_ plan: SandboxPlan, ruby: String) {
    let process: SandboxProcess
    do {
      process = try SandboxProcess.start(plan, ruby: ruby)
    } catch {
      hasEnded(error as? DroverError ?? DroverError(.failed, "starting a sandbox for templates", cause: error))
      return
    }
    state.withLock { state in
      state.process = process
      if state.isStopped { _ = shutdown(process.control, CInt(SHUT_RDWR)) }
    }
    let lastWords = listen(process)

    state.withLock { $0.process = nil }
    Glibc.kill(process.pid, SIGKILL)
    while waitpid(process.pid, nil, 0) < 0, errno == EINTR {}
    close(process.control)
    close(process.errors)
    var text = "the Ruby process for templates (\(ruby)) ended"
    if !lastWords.isEmpty { text += "; it said: \(lastWords)" }
    hasEnded(DroverError(.failed, text))
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
      state.withLock { state in
        state.addressSpace = memory?.addressSpace ?? 0
        state.isReady = true
      }
      readiness.fulfil(nil)
    } else if let job = report["ended"]?.int {
      let end = JobEnd(
        late: report["late"]?.bool ?? false, status: report["status"]?.int, signal: report["signal"]?.int)
      state.withLock { $0.jobs.removeValue(forKey: job) }?.fulfil(end)
    }
  }

  /// Tells everybody who waits for the process or for its jobs.
  func hasEnded(_ error: DroverError) {
    let jobs = state.withLock { state in
      defer { state.jobs = [:] }
      return state.jobs.values
    }
    end.fulfil(error)
    readiness.fulfil(error)
    for job in jobs { job.fulfil(nil) }
  }
}
