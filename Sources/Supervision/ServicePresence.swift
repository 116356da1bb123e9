import Processes

/// That a service is there: a process that runs, or a thing (a file, a host) that can be looked at.
enum ServicePresence: Sendable, Hashable {
  case process(ProcessIdentity)
  case thing

  var process: ProcessIdentity? { if case .process(let process) = self { process } else { nil } }
}

extension ServiceDefinition.Kind {
  /// How it is said that it is not there, and that it is.
  var texts: (absence: String, existence: String) {
    switch self {
    case .process, .processMatching: ("process is not running", "process is running")
    case .file: ("file doesn't exist", "file exists")
    case .directory: ("directory doesn't exist", "directory exists")
    case .device: ("filesystem doesn't exist", "filesystem exists")
    case .host: ("host doesn't exist", "host exists")
    case .system: ("system doesn't exist", "system exists")
    }
  }
}
