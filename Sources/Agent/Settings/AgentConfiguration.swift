import AgentProtocol
import Files
import Formats

/// agent.json: how this machine's agent finds its settings (reference/agent.md 2). Names of members are matched
/// without regard to case, and unknown ones are ignored.
struct AgentConfiguration: Sendable, Hashable {
  /// In the order in which they are tried.
  var sources: [SourceDescription]
  var registry: RegistryUse
  /// `Infrastructure.Settings.RequireBusTLS`: a bus without TLS is refused, whatever the settings say.
  var requiresBusTLS: Bool
  /// `Platform.Linux`, as it was written.
  var linux: ValueObject

  /// When user data leads to a registry, and by which name the machine is known there.
  struct RegistryUse: Sendable, Hashable {
    /// `UseRegistry`: even if user data hold settings. Without it, a registry is asked when they hold none.
    var isForced = false
    /// `UseServerName`: by the `server.name` of user data rather than by the instance id of the cloud.
    var usesServerName = false
  }

  /// - Throws: `DroverError` with code `invalid`, naming the file and the member.
  static func load(_ path: String) throws -> AgentConfiguration {
    do {
      return try AgentConfiguration(JSON.parse(Files.read(path)))
    } catch {
      throw DroverError(.invalid, "loading the agent's configuration from \(path)", cause: error)
    }
  }

  init(_ value: Value) throws {
    linux = value.member("platform")?.member("linux")?.object ?? [:]
    let settings = value.member("infrastructure")?.member("settings")
    guard let sources = settings?.member("sources")?.array, !sources.isEmpty else {
      throw DroverError(.invalid, "Infrastructure.Settings.Sources: missing; expected at least one source of settings")
    }
    self.sources = try sources.enumerated().map { index, source in
      try SourceDescription(source, at: "Infrastructure.Settings.Sources[\(index)]")
    }
    registry = RegistryUse(
      isForced: settings?.member("useregistry")?.bool ?? false,
      usesServerName: settings?.member("useservername")?.bool ?? false)
    requiresBusTLS = settings?.member("requirebustls")?.bool ?? false
  }
}

extension Value {
  /// The member of that name, given in lower case, whatever its case in the document.
  func member(_ name: String) -> Value? {
    object?.first { $0.key.lowercased() == name }?.value
  }
}
