import AgentProtocol
import Files
import Formats
import Logging
import Surroundings

/// Loads, overlays, caches and changes the settings (reference/agent.md 3). Its files hold keys and are 0600.
actor SettingsStore {
  private let configuration: AgentConfiguration
  private let folders: SettingsFolders
  private let tools: SourceTools
  private let logger: Logger
  private var folder: String
  /// The source that worked last, by its place in the configuration.
  private var working: Int?
  private var workingForKey: Int?
  /// The last reading of a source.
  private var reading: Task<Void, Never>?
  private let defaultRoute: (@Sendable () -> DefaultRoute?)?
  private var loaded: EffectiveSettings

  /// Those that count now: networks whose addresses DHCP gives have the one that the machine has at the moment.
  var current: EffectiveSettings {
    let networks = loaded.document.networks
    guard let defaultRoute, networks.contains(where: \.isDHCP), let route = defaultRoute() else { return loaded }
    var settings = loaded
    settings.document.networks = networks.map { $0.resolved(route) }
    return settings
  }

  /// Loads them for the first time.
  ///
  /// - Parameters:
  ///   - tries: how often a source that may not be there yet is asked.
  ///   - reachNetwork: configures a network before a metadata service is asked; nil where there is one already.
  ///   - defaultRoute: over which the machine reaches others; nil where its networks are nobody's business.
  ///   - mountTmpfs: mounts a tmpfs of a size (`16m`) on a folder; nil where that is not to be done.
  /// - Throws: when no source works and there is no usable cache.
  init(
    _ configuration: AgentConfiguration, layout: VMLayout, surroundings: Surroundings = .system, tries: Int = 10,
    reachNetwork: (@Sendable () async throws -> Void)? = nil,
    defaultRoute: (@Sendable () -> DefaultRoute?)? = nil, mountTmpfs: SettingsFolders.MountTmpfs? = nil,
    logger: Logger
  ) async throws {
    self.configuration = configuration
    self.defaultRoute = defaultRoute
    self.logger = logger
    folders = SettingsFolders(layout: layout, mountTmpfs: mountTmpfs)
    // Later there are settings already, so a source that is gone is not waited for as long.
    tools = Self.tools(configuration, layout, surroundings, tries: min(tries, 3), reachNetwork, logger)
    let first = Self.tools(configuration, layout, surroundings, tries: tries, reachNetwork, logger)
    let (document, source, isNew) = try await Self.document(configuration, first: nil, first, folders, logger)
    working = source
    folder = try Self.keep(document, folders)
    loaded = Self.overlay(document, folder, logger)
    if isNew, let source { await tools.source(configuration.sources[source]).kept() }
  }

  private static func tools(
    _ configuration: AgentConfiguration, _ layout: VMLayout, _ surroundings: Surroundings, tries: Int,
    _ reachNetwork: (@Sendable () async throws -> Void)?, _ logger: Logger
  ) -> SourceTools {
    SourceTools(
      layout: layout, registry: configuration.registry,
      client: MetadataClient(surroundings: surroundings, tries: tries), surroundings: surroundings, logger: logger,
      reachNetwork: reachNetwork)
  }

  /// Those that the agent of this machine runs with, for its other programs.
  ///
  /// - Throws: when there are none, or whoever asks may not read them.
  static func cached(_ layout: VMLayout, logger: Logger) throws -> EffectiveSettings {
    let folders = SettingsFolders(layout: layout, mountTmpfs: nil)
    return overlay(try folders.cached(), try folders.cachedFolder, logger)
  }

  /// Reads them again: the cloud may have changed them.
  @discardableResult
  func reload() async throws -> EffectiveSettings {
    // One after another: a drive can be mounted for one only.
    let (before, first) = (reading, working)
    let work = Task { [configuration, tools, folders, logger] in
      await before?.value
      return try await Self.document(configuration, first: first, tools, folders, logger)
    }
    reading = Task { _ = try? await work.value }
    let (document, source, isNew) = try await work.value
    // From here on nothing else can come in between, such as a director's change.
    folder = try Self.keep(document, folders)
    (loaded, working) = (Self.overlay(document, folder, logger), source)
    let settings = current
    if isNew, let source { await tools.source(configuration.sources[source]).kept() }
    return settings
  }

  /// The key that the cloud wants to let in as vcap; nil when no source tells one.
  func publicKey() async -> String? {
    for index in Self.order(configuration.sources.indices, first: workingForKey ?? working) {
      let source = tools.source(configuration.sources[index])
      do {
        if let key = try await source.publicKey() {
          workingForKey = index
          return key
        }
      } catch {
        logger.warning(
          "cannot read the cloud's ssh key", metadata: ["source": "\(source.name)", "error": "\(error)"])
      }
    }
    return nil
  }

  /// Keeps what a director has changed.
  func keep(_ update: UpdateSettings) throws {
    try Files.replace("\(folder)/update_settings.json", with: JSON.bytes(update.value), mode: 0o600)
    loaded.update = update
  }

  func keepDiskHint(_ cid: String, _ hint: DiskHint) throws { try keepHints { $0[cid] = hint } }
  func forgetDiskHint(_ cid: String) throws { try keepHints { $0[cid] = nil } }

  private func keepHints(_ change: (inout [String: DiskHint]) -> Void) throws {
    var hints = loaded.diskHints
    change(&hints)
    let value = Value.object(ValueObject(hints.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) }))
    try Files.replace("\(folder)/persistent_disk_hints.json", with: JSON.bytes(value), mode: 0o600)
    loaded.diskHints = hints
  }

  // MARK: Loading

  /// - Returns: the folder of the settings files.
  private static func keep(_ document: AgentSettings, _ folders: SettingsFolders) throws -> String {
    let folder = try folders.folder(for: document)
    try Files.replace("\(folder)/settings.json", with: JSON.bytes(document.value), mode: 0o600)
    return folder
  }

  /// What the first source says that works, or what was there last time.
  private static func document(
    _ configuration: AgentConfiguration, first: Int?, _ tools: SourceTools, _ folders: SettingsFolders, _ logger: Logger
  ) async throws -> (AgentSettings, Int?, isNew: Bool) {
    var failures: [String] = []
    for index in order(configuration.sources.indices, first: first) {
      let source = tools.source(configuration.sources[index])
      do {
        let document = try await source.fetch()
        guard !document.agentID.isEmpty else { throw DroverError(.invalid, "settings.agent_id: empty") }
        if first == nil {
          logger.info(
            "loaded new infrastructure settings: \(JSON.text(Redaction.settings(document.value)))",
            metadata: ["source": "\(source.name)"])
        }
        if let last = try? folders.cached(), last.agentID != document.agentID {
          logger.warning(
            "the settings are for another agent than those of last time",
            metadata: ["agent": "\(document.agentID)", "before": "\(last.agentID)"])
        }
        return (document, index, true)
      } catch {
        try Task.checkCancellation()
        failures.append("\(error)")
      }
    }
    let reasons = failures.joined(separator: "; ")
    do {
      let document = try folders.cached()
      logger.warning("no source of settings works; using those of last time", metadata: ["error": "\(reasons)"])
      return (document, first, false)
    } catch {
      throw DroverError(
        .notFound, "loading settings: no source works (\(reasons)), and those of last time cannot be used",
        cause: error)
    }
  }

  private static func order(_ indices: Range<Int>, first: Int?) -> [Int] {
    guard let first else { return Array(indices) }
    return [first] + indices.filter { $0 != first }
  }

  /// What directors have changed, laid over the document. A file that is damaged is said and left out: an agent with
  /// older settings can still be helped, one that does not start cannot.
  private static func overlay(_ document: AgentSettings, _ folder: String, _ logger: Logger) -> EffectiveSettings {
    var settings = EffectiveSettings(document: document, update: UpdateSettings(), diskHints: [:])
    func read(_ name: String, _ body: (Value) throws -> Void) {
      let path = "\(folder)/\(name)"
      do {
        if let bytes = try Files.bytes(path) { try body(JSON.parse(bytes)) }
      } catch {
        logger.error("a file of settings cannot be used", metadata: ["path": "\(path)", "error": "\(error)"])
      }
    }
    read("update_settings.json") { settings.update = try UpdateSettings($0) }
    read("persistent_disk_hints.json") { value in
      let hints = try FieldReader(value, at: "persistent_disk_hints.json").object
      settings.diskHints = try Dictionary(
        hints.map { ($0.key, try DiskHint($0.value, at: $0.key)) }, uniquingKeysWith: { _, last in last })
    }
    return settings
  }
}
