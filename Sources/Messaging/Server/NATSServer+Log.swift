import Files
import Formats
import Glibc
import Logging
import Surroundings

/// Keeping the server's log from growing for ever.
extension NATSServer {
  private var rotation: LogRotation {
    LogRotation(path: files.log, size: configuration.logSize, keep: configuration.logKeep)
  }

  /// Looks after the log until the task is cancelled.
  func keepLog() async {
    var isFailing = false
    while (try? await surroundings.sleep(.seconds(1))) != nil {
      do {
        try await rotateLog()
        isFailing = false
      } catch is CancellationError {
        return
      } catch {
        if !isFailing {
          logger.warning("the log of the NATS server cannot be rotated", metadata: ["error": "\(error)"])
        }
        isFailing = true
      }
    }
  }

  /// Renames the log when it is large, and has the server open it when it is another.
  func rotateLog() async throws {
    guard !isLaunching, process != nil else { return }
    try await whileLogIsStill {
      guard let process else { return }
      let current = try FileIdentity(files.log)
      switch rotation.finding(open: openLog, current: current) {
      case .fine:
        openLog = current
        return
      case .full: try rotation.rotate()
      case .gone: break
      }
      try await openLogAnew(of: process)
    }
  }

  /// Has the server open its log, unless that is what it has open, and waits until it has. To be called while nobody else
  /// reads or renames the log.
  ///
  /// The signal and one that follows it can be taken in the other order, and of two at once one can be lost.
  func openLogAnew(of process: NATSProcess) async throws {
    let began = surroundings.elapsed()
    var signals = 0
    while process.isRunning, try !hasLogOpen(process) {
      let waited = surroundings.elapsed() - began
      guard waited < configuration.patience else {
        throw DroverError(
          .timeout, "having the NATS server open \(files.log) anew: not done after \(configuration.patience)")
      }
      if waited >= .seconds(signals) {
        // What it logs until it has heard of it goes to the renamed file.
        process.signal(SIGUSR1)
        signals += 1
      }
      try await surroundings.sleep(.milliseconds(2))
    }
    openLog = try FileIdentity(files.log)
  }

  private func hasLogOpen(_ process: NATSProcess) throws -> Bool {
    guard let log = try FileIdentity(files.log) else { return false }
    let folder = "/proc/\(process.pid)/fd"
    return try Files.names(in: folder).contains { name in
      (try? FileIdentity("\(folder)/\(name)"))?.isSameFile(as: log) == true
    }
  }

  /// What was logged since the log was that. One that was renamed or cut meanwhile is read from its beginning.
  func logged(since before: FileIdentity?) throws -> String {
    guard let now = try FileIdentity(files.log) else { return "" }
    let isSame = before.map { $0.isSameFile(as: now) && $0.size <= now.size } ?? false
    let offset = isSame ? before?.size ?? 0 : 0
    return String(decoding: try Files.read(files.log, offset: offset, maximum: 64 << 20), as: UTF8.self)
  }

  /// Runs `body` while nobody else reads or renames the log.
  func whileLogIsStill<Result>(_ body: () async throws -> Result) async throws -> Result {
    while isLogInUse { try await surroundings.sleep(.milliseconds(2)) }
    isLogInUse = true
    defer { isLogInUse = false }
    return try await body()
  }
}
