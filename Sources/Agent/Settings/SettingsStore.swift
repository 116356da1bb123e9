import AgentProtocol
import Formats
import Logging
import Processes

/// Loads, overlays, caches and changes the settings (reference/agent.md 3). Its files hold keys and are 0600.
actor SettingsStore {
  private let configuration: AgentConfiguration
  private let layout: VMLayout
  private let logger: Logger
  private var folder: String
  /// The source that worked last.
  private var working: AgentConfiguration.Source?
  private(set) var current: EffectiveSettings

  /// Loads them for the first time.
  ///
  /// - Throws: when no source works and there is no usable cache.
  init(_ configuration: AgentConfiguration, layout: VMLayout, logger: Logger) throws {
    self.configuration = configuration
    self.layout = layout
    self.logger = logger
    folder = layout.settings()
    (current, working) = try Self.load(configuration, working: nil, folder: layout.settings(), logger: logger)
    try Self.save(current.document, layout.settings())
  }

  /// Reads them again: the cloud may have changed them.
  @discardableResult
  func reload() throws -> EffectiveSettings {
    (current, working) = try Self.load(configuration, working: working, folder: folder, logger: logger)
    try Self.save(current.document, folder)
    return current
  }

  /// Keeps what a director has changed.
  func keep(_ update: UpdateSettings) throws {
    try Files.replace("\(folder)/update_settings.json", with: JSON.bytes(update.value), mode: 0o600)
    current.update = update
  }

  func keepDiskHint(_ cid: String, _ hint: DiskHint) throws { try keepHints { $0[cid] = hint } }
  func forgetDiskHint(_ cid: String) throws { try keepHints { $0[cid] = nil } }

  private func keepHints(_ change: (inout [String: DiskHint]) -> Void) throws {
    var hints = current.diskHints
    change(&hints)
    let value = Value.object(ValueObject(hints.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) }))
    try Files.replace("\(folder)/persistent_disk_hints.json", with: JSON.bytes(value), mode: 0o600)
    current.diskHints = hints
  }

  private static func save(_ document: AgentSettings, _ folder: String) throws {
    try Files.makeFolder(folder)
    try Files.replace("\(folder)/settings.json", with: JSON.bytes(document.value), mode: 0o600)
  }

  private static func load(
    _ configuration: AgentConfiguration, working: AgentConfiguration.Source?, folder: String, logger: Logger
  ) throws -> (EffectiveSettings, AgentConfiguration.Source?) {
    var failures: [String] = []
    for source in working.map({ [$0] }) ?? configuration.sources {
      do {
        return (try overlay(source.fetch(), folder), source)
      } catch {
        failures.append("\(error)")
      }
    }
    let reasons = failures.joined(separator: "; ")
    logger.warning("no source of settings works; using those of last time", metadata: ["error": "\(reasons)"])
    do {
      return (try overlay(AgentSettings(JSON.parse(Files.read("\(folder)/settings.json"))), folder), working)
    } catch {
      throw DroverError(
        .notFound, "loading settings: no source works (\(reasons)), and those of last time cannot be used",
        cause: error)
    }
  }

  private static func overlay(_ document: AgentSettings, _ folder: String) throws -> EffectiveSettings {
    var settings = EffectiveSettings(document: document, update: UpdateSettings(), diskHints: [:])
    if Files.exists("\(folder)/update_settings.json") {
      settings.update = try UpdateSettings(JSON.parse(Files.read("\(folder)/update_settings.json")))
    }
    if Files.exists("\(folder)/persistent_disk_hints.json") {
      let hints = try FieldReader(
        JSON.parse(Files.read("\(folder)/persistent_disk_hints.json")), at: "persistent_disk_hints.json")
      for (cid, hint) in hints.object { settings.diskHints[cid] = try DiskHint(hint, at: cid) }
    }
    return settings
  }
}
