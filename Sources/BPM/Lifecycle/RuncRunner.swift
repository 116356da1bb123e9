import Containers
import Formats
import Processes

/// Runs runc's commands and passes on what it says when they fail.
struct RuncRunner: Sendable {
  let executable: String
  let root: String
  let systemdCgroup: Bool

  init(_ setup: BPMSetup) throws {
    executable = try setup.runc()
    root = setup.runcRoot
    systemdCgroup = setup.probe.hasSystemd
  }

  func line(_ command: Runc.Command, log: String? = nil) -> [String] {
    [executable] + Runc.arguments(for: command, root: root, log: log, systemdCgroup: systemdCgroup)
  }

  /// Runs a command to its end.
  ///
  /// - Throws: ``DroverError`` with runc's own message.
  func perform(_ command: Runc.Command) async throws {
    let result = try await Command(line(command)).result()
    guard !result.succeeded else { return }
    throw DroverError(.failed, Self.reason(result.errors, result.ending))
  }

  /// Why runc failed, by its log, or how it ended when it did not say.
  static func reason(_ log: [UInt8], _ ending: Ending) -> String {
    if let message = Runc.messages(inLog: log).last { return message }
    return switch ending {
    case .exited(let code): "exit status \(code)"
    case .signalled(let number): "signal \(number)"
    }
  }
}
