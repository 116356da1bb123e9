import Formats

/// `Platform.Linux` of agent.json, as far as this agent does something about it (reference/agent.md 2).
struct LinuxOptions: Sendable, Hashable {
  /// /tmp and /var/tmp stay as they are.
  var usesDefaultTemporaryFolder = false
  /// The root and ephemeral disks are left alone.
  var skipsDiskSetup = false
  /// `systemd`, or empty for runit.
  var serviceManager = ""

  init() {}

  init(_ object: ValueObject) {
    let value = Value.object(object)
    usesDefaultTemporaryFolder = value.member("usedefaulttmpdir")?.bool ?? false
    skipsDiskSetup = value.member("skipdisksetup")?.bool ?? false
    serviceManager = value.member("servicemanager")?.string ?? ""
  }
}
