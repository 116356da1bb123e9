import Files
import Formats
import Glibc
import Logging
import Processes
import Synchronization

/// What has to be known of a service after a restart of the agent or of the VM.
struct ServiceMemory: Sendable, Hashable {
  /// An unmonitored service stays so.
  var isMonitored = true
  /// The process that was last seen running as this service.
  var process: ProcessIdentity?
  /// Programs that are executed, with the second in which that began: on record before it is done, so that the next
  /// life of the agent looks for it instead of running a second one.
  var programs: [ServiceMachine.Program: Int] = [:]
  /// What has been counted for limits of restarts.
  var restarts = 0
  var cycles = 0
}

/// The supervisor's memory, kept in one small file.
struct SupervisorMemory: Sendable, Hashable {
  var services: [String: ServiceMemory] = [:]

  var value: Value {
    let members = services.sorted { $0.key < $1.key }.map { name, memory -> (String, Value) in
      var object: ValueObject = ["monitored": .bool(memory.isMonitored)]
      object["process"] = memory.process?.value
      for program in memory.programs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        object[program.key.rawValue] = .int(program.value)
      }
      if memory.restarts > 0 {
        object["restarts"] = .int(memory.restarts)
        object["cycles"] = .int(memory.cycles)
      }
      return (name, .object(object))
    }
    return ["services": .object(ValueObject(members))]
  }

  init() {}

  /// What cannot be understood is as if it were not there: then the service is monitored, and its pidfile decides.
  init(_ value: Value) {
    for (name, member) in value["services"]?.object ?? ValueObject() {
      var memory = ServiceMemory(
        isMonitored: member["monitored"]?.bool ?? true, process: member["process"].flatMap { try? ProcessIdentity($0) })
      for program in ServiceMachine.Program.allCases { memory.programs[program] = member[program.rawValue]?.int }
      memory.restarts = member["restarts"]?.int ?? 0
      memory.cycles = member["cycles"]?.int ?? 0
      services[name] = memory
    }
  }

  /// What in it does not say whether a service is monitored; nil when all of it does.
  static func damage(in value: Value) -> String? {
    guard let services = value["services"]?.object else { return "there is no object 'services' in it" }
    let unclear = services.filter { $0.value["monitored"]?.bool == nil }.map { "'\($0.key)'" }
    return unclear.isEmpty ? nil : "it does not say of \(unclear.joined(separator: ", ")) whether it is monitored"
  }
}

/// The file of a ``SupervisorMemory``, written before anything that depends on it is done.
final class SupervisorMemoryFile: Sendable {
  private let path: String
  private let memory: Mutex<SupervisorMemory>

  /// One that is damaged is put aside as `PATH.damaged`, for people, and what can be understood of it counts; of the rest
  /// nobody knows any more what was stopped, so it is monitored, as monit does it. The log says so.
  ///
  /// - Throws: when there is one that cannot be read. To begin without it would start what somebody has stopped.
  init(path: String, logger: Logger) throws {
    self.path = path
    guard let bytes = try Files.bytes(path) else {
      memory = Mutex(SupervisorMemory())
      return
    }
    let (value, damage) = Self.understood(bytes)
    memory = Mutex(SupervisorMemory(value))
    guard let damage else { return }
    let aside = "\(path).damaged"
    guard rename(path, aside) == 0 else { throw systemError("putting the damaged '\(path)' aside as '\(aside)'") }
    logger.error(
      "what the supervisor remembers is damaged: services that were stopped or unmonitored may be started",
      metadata: ["file": .string(path), "found": .string(damage), "kept": .string(aside)])
  }

  private static func understood(_ bytes: [UInt8]) -> (value: Value, damage: String?) {
    do {
      let value = try JSON.parse(bytes)
      return (value, SupervisorMemory.damage(in: value))
    } catch {
      return (.null, "\(error)")
    }
  }

  subscript(_ name: String) -> ServiceMemory? { memory.withLock { $0.services[name] } }

  /// - Throws: when it cannot be written; what was remembered counts for this life all the same.
  func set(_ name: String, _ service: ServiceMemory?) throws {
    try memory.withLock { memory in
      guard memory.services[name] != service else { return }
      memory.services[name] = service
      try Files.replace(path, with: JSON.bytes(memory.value))
    }
  }
}
