import AgentProtocol
import Formats
import Logging
import Processes
import Surroundings

/// A place from which settings come.
protocol SettingsSource: Sendable {
  /// For log and errors; without anything secret.
  var name: String { get }
  /// The settings document, read anew.
  func fetch() async throws -> AgentSettings
  /// The key that the cloud wants to let in as vcap; nil when there is none.
  func publicKey() async throws -> String?
  /// What was fetched is written down: the source may forget it.
  func kept() async
}

extension SettingsSource {
  func publicKey() async throws -> String? { nil }
  func kept() async {}
}

/// What sources need.
struct SourceTools: Sendable {
  let layout: VMLayout
  let registry: AgentConfiguration.RegistryUse
  let client: MetadataClient
  let surroundings: Surroundings
  let logger: Logger
  /// Lets the machine reach a metadata service at all; nil where that is not the agent's to do.
  var reachNetwork: (@Sendable () async throws -> Void)?

  func source(_ description: SourceDescription) -> any SettingsSource {
    switch description {
    case .file(let settings, let userData, let metaData):
      FileSource(settingsPath: settings, userDataPath: userData, metaDataPath: metaData, tools: self)
    case .http(let places): HTTPSource(places: places, tools: self)
    case .instanceMetadata(let uri, let headers, let path):
      InstanceMetadataSource(uri: uri, headers: headers, settingsPath: path, tools: self)
    case .configDrive(let disks, let userData, let metaData):
      ConfigDriveSource(diskPaths: disks, userDataPath: userData, metaDataPath: metaData, tools: self)
    case .cdrom(let fileName): CDROMSource(fileName: fileName, tools: self)
    case .vsphereGuestInfo(let rpcTool, let toolsDaemon):
      VsphereGuestInfoSource(rpcTool: rpcTool, toolsDaemon: toolsDaemon, tools: self)
    }
  }

  /// The settings that user data hold or lead to.
  ///
  /// - Parameter instanceID: the machine's name with its cloud, asked for only when the registry knows it by that.
  func settings(
    _ bytes: [UInt8], instanceID: () async throws -> String?
  ) async throws -> AgentSettings {
    let userData = try UserData(bytes)
    logger.info("user data: \(JSON.text(Redaction.settings(userData.document)))")
    switch try userData.way(registry) {
    case .here: return try AgentSettings(userData.document)
    case .registry(let endpoint, let name):
      var id = name
      if id == nil { id = try await instanceID() }
      guard let id, !id.isEmpty else {
        throw DroverError(
          .invalid,
          "asking the registry: this source does not tell the machine's instance id; is UseServerName missing?")
      }
      return try await fromRegistry(endpoint, id)
    }
  }

  private func fromRegistry(_ endpoint: String, _ id: String) async throws -> AgentSettings {
    let (url, headers) = try RegistryRequest.make(endpoint: endpoint, instanceID: id)
    guard let bytes = try await client.get(url, headers) else {
      throw DroverError(.notFound, "the registry has no settings of \(id)")
    }
    do {
      return try AgentSettings(RegistrySettings.document(bytes))
    } catch {
      throw DroverError(.invalid, "reading what the registry says about \(id)", cause: error)
    }
  }
}
