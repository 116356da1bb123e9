import AgentProtocol
import Formats

/// A metadata service that has user data, as most clouds do (reference/agent.md 2).
struct HTTPSource: SettingsSource {
  let places: SourceDescription.HTTPPlaces
  let tools: SourceTools

  var name: String { "HTTP \(Redaction.text(places.uri + places.userDataPath))" }

  func fetch() async throws -> AgentSettings {
    try await tools.reachNetwork?()
    let headers = await headers()
    guard let bytes = try await tools.client.get(places.uri + places.userDataPath, headers) else {
      throw DroverError(.notFound, "\(name): no user data")
    }
    return try await tools.settings(bytes) {
      guard !places.instanceIDPath.isEmpty else { return nil }
      return try await text(places.instanceIDPath, headers, mayBeAbsent: false)
    }
  }

  func publicKey() async throws -> String? {
    guard !places.sshKeysPath.isEmpty else { return nil }
    try await tools.reachNetwork?()
    return try await text(places.sshKeysPath, headers(), mayBeAbsent: true)
  }

  /// Those of agent.json, and the token if the service gives one.
  private func headers() async -> [String: String] {
    guard !places.tokenPath.isEmpty, let token = await tools.client.token(places.uri + places.tokenPath) else {
      return places.headers
    }
    return places.headers.merging(["X-aws-ec2-metadata-token": token]) { _, token in token }
  }

  private func text(_ path: String, _ headers: [String: String], mayBeAbsent: Bool) async throws -> String? {
    guard let bytes = try await tools.client.get(places.uri + path, headers, mayBeAbsent: mayBeAbsent) else {
      return nil
    }
    let text = String(decoding: bytes, as: UTF8.self).drop { $0.isWhitespace }
    guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return nil }
    return String(text[...last])
  }
}

/// A metadata service that has the settings document itself under a path.
struct InstanceMetadataSource: SettingsSource {
  let uri: String
  let headers: [String: String]
  let settingsPath: String
  let tools: SourceTools

  var name: String { "InstanceMetadata \(Redaction.text(uri + settingsPath))" }

  func fetch() async throws -> AgentSettings {
    try await tools.reachNetwork?()
    guard let bytes = try await tools.client.get(uri + settingsPath, headers) else {
      throw DroverError(.notFound, "\(name): no settings")
    }
    return try AgentSettings(UserData(bytes).document)
  }
}
