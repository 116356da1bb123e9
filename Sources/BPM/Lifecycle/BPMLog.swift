import Files
import Formats
import Processes
import Surroundings
import Synchronization

/// A job's bpm.log: a JSON object per line (reference/bpm.md 7).
struct BPMLog: Sendable {
  private let file: OpenFile
  private let clock: @Sendable () -> Timestamp
  private let names: JobProcess
  private let name: String
  private let session: String
  private let children = Counter()

  /// The log of a command, such as `start`.
  init(_ names: JobProcess, command: String, owner: ContainerSpec.User, surroundings: Surroundings) throws {
    file = try LogFile.open(names.bpmLog, owner: owner)
    clock = surroundings.now
    self.names = names
    name = "bpm.\(command)"
    session = "1"
  }

  private init(_ parent: BPMLog, _ name: String, _ session: String) {
    file = parent.file
    clock = parent.clock
    names = parent.names
    self.name = name
    self.session = session
  }

  /// A part of the command.
  func session(_ name: String) -> BPMLog { BPMLog(self, "\(self.name).\(name)", "\(session).\(children.next())") }

  func info(_ event: String, _ data: ValueObject = [:]) { write("info", event, data) }
  func error(_ event: String, _ error: any Error) { write("error", event, ["error": .string("\(error)")]) }

  private func write(_ level: String, _ event: String, _ data: ValueObject) {
    let data = data.merging([
      "job": .string(names.job), "process": .string(names.process), "session": .string(session),
    ]).sorted()
    let line: Value = [
      "timestamp": .string(clock().nanosecondText), "level": .string(level), "source": "bpm",
      "message": .string("\(name).\(event)"), "data": .object(data),
    ]
    // A full disk must not keep a process from being stopped.
    try? file.write(JSON.bytes(line) + [0x0A])
  }

  private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
      value.withLock {
        $0 += 1
        return $0
      }
    }
  }
}
