import AgentProtocol
import Files
import Formats

/// A file on this machine: the settings document, or user data that lead to it.
struct FileSource: SettingsSource {
  let settingsPath: String
  let userDataPath: String
  let metaDataPath: String
  let tools: SourceTools

  var name: String { "File \(settingsPath.isEmpty ? userDataPath : settingsPath)" }

  func fetch() async throws -> AgentSettings {
    do {
      guard settingsPath.isEmpty else {
        return try AgentSettings(JSON.parse(Files.read(settingsPath, limit: 16 << 20)))
      }
      return try await tools.settings(Files.read(userDataPath, limit: 16 << 20)) { try metaData()?.instanceID }
    } catch {
      throw DroverError(
        .notFound, "reading settings from \(settingsPath.isEmpty ? userDataPath : settingsPath)", cause: error)
    }
  }

  func publicKey() async throws -> String? { try metaData()?.publicKey }

  private func metaData() throws -> MetaData? {
    metaDataPath.isEmpty ? nil : try Files.bytes(metaDataPath, limit: 1 << 20).map { try MetaData($0) }
  }
}
