import Formats
import Processes
import Surroundings

/// A start, stop or exec program that was executed as monit does it (`reference/lifecycle.md 3.2`): a session of its
/// own, `/`, no input, an environment with nothing in it but PATH and what monit tells. What it says goes to a log.
struct ServiceProgramRun: Sendable, Hashable {
  private enum Process: Sendable, Hashable {
    case own(DetachedProcess)
    /// One that an earlier life of the agent started: how it ends is not known.
    case found(ProcessIdentity)
  }

  private let process: Process
  private let log: ServiceLog
  private let logStart: Int

  init(_ program: ServiceProgram, _ context: ServiceProgramContext, log: ServiceLog) throws {
    self.log = log
    let output = log.open()
    defer { output?.close() }
    logStart = log.size
    process = .own(
      try DetachedProcess(
        program.arguments, environment: context.environment(outer: Environment.current()),
        user: try program.user.map(Accounts.user), group: try program.group.map(Accounts.group),
        output: output?.descriptor))
  }

  /// The one that runs since an earlier life of the agent; nil when there is none.
  init?(found program: ServiceProgram, _ context: ServiceProgramContext, log: ServiceLog, in table: ProcessTable) {
    let leaders = table.sessionLeaders(having: context.environment(outer: [:]).filter { $0.key != "MONIT_HOST" })
    guard let process = leaders.first(where: { $0.arguments.contains(program.arguments.first ?? "") }) else {
      return nil
    }
    self.log = log
    logStart = log.size
    self.process = .found(process)
  }

  var isAlive: Bool {
    switch process {
    case .own(let process): process.isAlive
    case .found(let process): process.isAlive
    }
  }

  /// Waits for its end; nil is a good one. What went wrong comes with the last lines of what it said.
  func problem() async -> String? {
    do {
      switch process {
      case .found(let process):
        try await process.waitForExit()
        return nil
      case .own(let process):
        let ending = try await process.ending()
        guard ending != .exited(0) else { return nil }
        let said = log.lastLines(since: logStart)
        return "its program \(ending)" + (said.isEmpty ? "" : ": \(said)")
      }
    } catch {
      return "\(error)"
    }
  }

  /// What it has said so far, if anything.
  var said: String { log.lastLines(since: logStart) }

  /// Ends it and all that it has started and not detached.
  func end() async {
    let pid =
      switch process {
      case .own(let process): process.pid
      case .found(let process): process.pid
      }
    _ = try? await ProcessFamily(id: pid).terminate(grace: .seconds(5))
  }
}

/// What a program is told by its environment.
struct ServiceProgramContext: Sendable, Hashable {
  var service: String
  var event: String
  var description: String
  var date: Timestamp
  var pid: Int?
  var usage: ServiceUsage?

  init(service: String, event: String, description: String? = nil, date: Timestamp) {
    self.service = service
    self.event = event
    self.description = description ?? event
    self.date = date
  }

  func environment(outer: [String: String]) -> [String: String] {
    var variables = [
      "PATH": "/bin:/usr/bin:/sbin:/usr/sbin", "MONIT_SERVICE": service, "MONIT_EVENT": event,
      "MONIT_DESCRIPTION": description, "MONIT_DATE": RFC822.text(date), "MONIT_HOST": Accounts.hostName(),
    ]
    if let pid { variables["MONIT_PROCESS_PID"] = String(pid) }
    if let usage {
      variables["MONIT_PROCESS_MEMORY"] = String(usage.ownMemoryKilobytes)
      variables["MONIT_PROCESS_CHILDREN"] = String(usage.children)
      variables["MONIT_PROCESS_CPU_PERCENT"] = ResourceReadings.tenths(usage.ownCPUPercent)
    }
    variables["TZ"] = outer["TZ"]
    return variables
  }
}
