import AgentProtocol
import Formats

/// What a cloud gives a machine at its birth: the settings document itself, or the address of a registry that has it
/// (reference/agent.md 2, slides 13 to 15).
struct UserData: Sendable, Hashable {
  let document: Value

  /// Reads JSON, also in quotes and URL-safe base64.
  ///
  /// - Throws: `DroverError` with code `invalid` when it is neither.
  init(_ bytes: [UInt8]) throws {
    do {
      document = try Self.objectOf(bytes)
    } catch {
      var text = Substring(String(decoding: bytes, as: UTF8.self))
      func isPacking(_ character: Character) -> Bool { character == "\"" || character.isWhitespace }
      text = text.drop(while: isPacking)
      while let last = text.last, isPacking(last) { text = text.dropLast() }
      guard !text.isEmpty, let decoded = Base64.decode(String(text)) else {
        throw DroverError(.invalid, "user data: neither JSON nor base64 of it", cause: error)
      }
      do { document = try Self.objectOf(decoded) } catch {
        throw DroverError(.invalid, "user data: what base64 held is not JSON", cause: error)
      }
    }
  }

  private static func objectOf(_ bytes: [UInt8]) throws -> Value {
    let value = try JSON.parse(bytes)
    guard value.object != nil else { throw DroverError(.invalid, "expected an object, found \(value.kindName)") }
    return value
  }

  /// Whether these are the settings themselves.
  var isSettings: Bool { document["agent_id"]?.string?.isEmpty == false }

  /// Where the registry is, with user and password.
  var registryEndpoint: String? {
    guard let endpoint = document.member("registry")?.member("endpoint")?.string, !endpoint.isEmpty else { return nil }
    return endpoint
  }

  /// The name of this machine in the registry.
  var serverName: String? {
    guard let name = document.member("server")?.member("name")?.string, !name.isEmpty else { return nil }
    return name
  }

  /// Where settings come from, by these data.
  enum Way: Sendable, Hashable {
    case here
    /// From the registry, under `name`, or under the cloud's instance id when there is none.
    case registry(endpoint: String, name: String?)
  }

  /// - Throws: `DroverError` with code `invalid` when they lead nowhere.
  func way(_ use: AgentConfiguration.RegistryUse) throws -> Way {
    if isSettings, !use.isForced || registryEndpoint == nil { return .here }
    guard let registryEndpoint else {
      throw DroverError(.invalid, "user data: neither agent_id, as settings have it, nor registry.endpoint")
    }
    guard use.usesServerName else { return .registry(endpoint: registryEndpoint, name: nil) }
    guard let serverName else {
      throw DroverError(.invalid, "user data: server.name: missing; agent.json says UseServerName")
    }
    return .registry(endpoint: registryEndpoint, name: serverName)
  }
}

/// What a cloud says about a machine, in the form that ConfigDrive and File sources have it.
struct MetaData: Sendable, Hashable {
  var instanceID: String?
  var publicKey: String?

  /// - Throws: `DroverError` with code `invalid` when it is no JSON.
  init(_ bytes: [UInt8]) throws {
    let value = try JSON.parse(bytes)
    instanceID = value["instance-id"]?.scalarText ?? value["uuid"]?.string
    publicKey = value["public-keys"]?["0"]?["openssh-key"]?.string
  }
}
