import AgentProtocol
import Formats
import Processes

/// agent.json: how this machine's agent finds its settings (reference/agent.md 2). Names of members are matched
/// without regard to case, and unknown ones are ignored.
struct AgentConfiguration: Sendable, Hashable {
  /// In the order in which they are tried.
  var sources: [Source]
  /// `Platform.Linux`, as it was written.
  var linux: ValueObject

  enum Source: Sendable, Hashable {
    case file(settingsPath: String)
    /// A kind that exists but that this agent cannot use yet.
    case unsupported(String)
  }

  static let knownTypes = ["File", "HTTP", "InstanceMetadata", "ConfigDrive", "CDROM", "VsphereGuestInfo"]

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
    guard let sources = value.member("infrastructure")?.member("settings")?.member("sources")?.array, !sources.isEmpty
    else {
      throw DroverError(.invalid, "Infrastructure.Settings.Sources: missing; expected at least one source of settings")
    }
    self.sources = try sources.enumerated().map { index, source in
      try Self.source(source, "Infrastructure.Settings.Sources[\(index)]")
    }
  }

  private static func source(_ value: Value, _ place: String) throws -> Source {
    guard let type = value.member("type")?.string else {
      throw DroverError(.invalid, "\(place).Type: missing; expected one of \(knownTypes.joined(separator: ", "))")
    }
    switch type {
    case "File":
      guard let path = value.member("settingspath")?.string, !path.isEmpty else {
        throw DroverError(.invalid, "\(place).SettingsPath: missing; a source of type File needs it")
      }
      return .file(settingsPath: path)
    case _ where knownTypes.contains(type): return .unsupported(type)
    default:
      throw DroverError(
        .invalid, "\(place).Type: unknown type '\(type)'; known are \(knownTypes.joined(separator: ", "))")
    }
  }
}

extension Value {
  /// The member of that name, given in lower case, whatever its case in the document.
  fileprivate func member(_ name: String) -> Value? {
    object?.first { $0.key.lowercased() == name }?.value
  }
}

extension AgentConfiguration.Source {
  /// Reads the settings document.
  func fetch() throws -> AgentSettings {
    switch self {
    case .file(let path):
      do {
        return try AgentSettings(JSON.parse(Files.read(path, limit: 16 << 20)))
      } catch {
        throw DroverError(.notFound, "reading settings from \(path)", cause: error)
      }
    case .unsupported(let type):
      throw DroverError(.unsupported, "settings sources of type \(type) are not supported by this agent; use File")
    }
  }
}
