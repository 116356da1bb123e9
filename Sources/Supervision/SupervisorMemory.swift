import Formats
import Processes

/// What has to be known of a service after a restart of the agent or of the VM.
struct ServiceMemory: Sendable, Hashable {
  /// An unmonitored service stays so.
  var isMonitored: Bool
  /// The process that was last seen running as this service.
  var process: ProcessIdentity?
}

/// The supervisor's memory, kept in one small file.
struct SupervisorMemory: Sendable, Hashable {
  var services: [String: ServiceMemory] = [:]

  var value: Value {
    let members = services.sorted { $0.key < $1.key }.map { name, memory -> (String, Value) in
      var object: ValueObject = ["monitored": .bool(memory.isMonitored)]
      object["process"] = memory.process?.value
      return (name, .object(object))
    }
    return ["services": .object(ValueObject(members))]
  }

  init() {}

  /// What cannot be understood is as if it were not there: then the service is monitored, and its pidfile decides.
  init(_ value: Value) {
    for (name, member) in value["services"]?.object ?? ValueObject() {
      services[name] = ServiceMemory(
        isMonitored: member["monitored"]?.bool ?? true, process: member["process"].flatMap { try? ProcessIdentity($0) })
    }
  }

  static func load(_ path: String) -> SupervisorMemory {
    guard let bytes = try? Files.read(path), let value = try? JSON.parse(bytes) else { return SupervisorMemory() }
    return SupervisorMemory(value)
  }

  func save(_ path: String) throws { try Files.replace(path, with: JSON.bytes(value)) }
}
