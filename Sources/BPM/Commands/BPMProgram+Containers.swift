import Containers
import Files
import Formats
import Glibc
import Processes

extension Lifecycle {
  static let notRunning = "process is not running or could not be found"

  /// The pid of the container's first process, from files.
  ///
  /// - Throws: ``DroverError`` when there is none.
  func pid() throws -> Int {
    let found = setup.observer.observe(names.containerID)
    switch found.status {
    case .created, .running: if let process = found.process { return process.pid }
    case .broken:
      throw DroverError(
        .corrupt,
        "failed to get job: runc's record in \(setup.observer.folder(names.containerID)) is empty or damaged; "
          + "'bpm start' and 'bpm stop' put it right")
    case .absent, .paused, .stopped: break
    }
    throw DroverError(.notFound, Self.notRunning)
  }
}

extension BPMProgram {
  // MARK: - list

  private struct Row {
    var name: String
    var pid = 0
    var status = "stopped"
  }

  /// A row for every configured process, with what runc's records say of it; nothing is started for that.
  func list() throws -> Int32 {
    var rows: [Row] = []
    for job in try Files.names(in: "\(setup.root)/jobs") {
      do {
        let configuration = try JobConfiguration(root: setup.root, job: job)
        for process in configuration.processes {
          rows.append(Row(name: job == process.name ? job : "\(job).\(process.name)"))
        }
      } catch let error as DroverError where error.code == .notFound {
        continue
      } catch {
        terminal.complain("invalid config for \(job): \(error)\n")
      }
    }
    for id in try setup.observer.ids() { overlay(id, &rows) }
    terminal.write(table(rows))
    return 0
  }

  private func overlay(_ id: String, _ rows: inout [Row]) {
    guard let name = try? ContainerID.decode(id) else { return }
    let found = setup.observer.observe(id)
    let indices = rows.indices.filter { rows[$0].name == name }
    if indices.isEmpty {
      terminal.complain("extra process running: process (\(name)) not defined\n")
      return
    }
    for index in indices {
      rows[index].pid = found.process?.pid ?? 0
      rows[index].status =
        switch found.status {
        case .running: "running"
        case .created: "created"
        case .paused, .stopped, .broken: "failed"
        case .absent: "stopped"
        }
    }
  }

  private func table(_ rows: [Row]) -> String {
    let cells = [["Name", "Pid", "Status"]] + rows.map { [$0.name, $0.pid == 0 ? "-" : "\($0.pid)", $0.status] }
    let widths = (0..<2).map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.map { row in
      widths.enumerated().map { column, width in
        row[column] + String(repeating: " ", count: width + 1 - row[column].count)
      }.joined() + row[2] + "\n"
    }.joined()
  }

  // MARK: - Programs that have the terminal

  /// Runs a program with this process's own streams and hands signals on to it.
  private func foreground(_ arguments: [String], _ environment: [String: String]? = nil) async throws -> Ending {
    let child = try ChildProcess(
      arguments, environment: environment, input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO,
      ownGroup: false)
    let forwarding = try SignalForwarding { child.signal($0) }
    defer { forwarding.stop() }
    return try await child.ending()
  }

  func logs(_ names: JobProcess, _ request: ArgumentReader.Request) async throws -> Int32 {
    var files: [String] = []
    if !request.has("err") || request.has("all") { files.append(names.outputLog) }
    if request.has("err") || request.has("all") { files.append(names.errorLog) }
    guard try files.allSatisfy(Files.exists) else { throw DroverError(.notFound, "logs not found") }
    let flags = (request.has("follow") ? ["-f"] : []) + (request.has("quiet") ? ["-q"] : [])
    switch try await foreground(["tail"] + flags + ["-n \(request.text("lines") ?? "25")"] + files) {
    case .exited(0), .signalled(Int(SIGINT)):
      terminal.write("\n")
      return 0
    case .exited(let code): throw DroverError(.failed, "exit status \(code)")
    case .signalled(let number): throw DroverError(.failed, "signal: \(number)")
    }
  }

  /// The status is the shell's own.
  func shell(_ lifecycle: Lifecycle) async throws -> Int32 {
    _ = try lifecycle.pid()
    let runc = try RuncRunner(setup)
    let terminalType = Environment.current()["TERM"] ?? ""
    let command = Runc.Command.exec(
      id: lifecycle.names.containerID, terminal: true, environment: ["TERM=\(terminalType)"], user: nil,
      arguments: ["/bin/bash"])
    let arguments = [runc.executable, "--root", runc.root] + (runc.systemdCgroup ? ["--systemd-cgroup"] : [])
    switch try await foreground(arguments + command.arguments) {
    case .exited(let code): return Int32(clamping: code)
    case .signalled(let number): return Int32(128 + number)
    }
  }

  func trace(_ lifecycle: Lifecycle) async throws -> Int32 {
    let pid = try lifecycle.pid()
    switch try await foreground(["strace", "-s", "100", "-f", "-y", "-yy", "-p", "\(pid)"]) {
    case .exited(0), .signalled: return 0
    case .exited(let code): throw DroverError(.failed, "exit status \(code)")
    }
  }
}
