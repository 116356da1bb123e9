import Formats

/// One entry of `Sources` in agent.json: where settings come from (reference/agent.md 2).
enum SourceDescription: Sendable, Hashable {
  /// A settings document, or else user data that lead to one.
  case file(settingsPath: String, userDataPath: String, metaDataPath: String)
  case http(HTTPPlaces)
  case instanceMetadata(uri: String, headers: [String: String], settingsPath: String)
  case configDrive(diskPaths: [String], userDataPath: String, metaDataPath: String)
  case cdrom(fileName: String)
  /// Programs that read vSphere's guest information.
  case vsphereGuestInfo(rpcTool: String, toolsDaemon: String)

  /// What a metadata service has, as paths below its URI; empty for what it has not.
  struct HTTPPlaces: Sendable, Hashable {
    var uri: String
    var headers: [String: String] = [:]
    var userDataPath = ""
    var sshKeysPath = ""
    var tokenPath = ""
    var instanceIDPath = ""
  }

  static let knownTypes = ["File", "HTTP", "InstanceMetadata", "ConfigDrive", "CDROM", "VsphereGuestInfo"]

  /// - Throws: `DroverError` with code `invalid`, naming the member.
  init(_ value: Value, at place: String) throws {
    func text(_ name: String) throws -> String {
      guard let member = value.member(name.lowercased()), !member.isNull else { return "" }
      guard let text = member.string else {
        throw DroverError(.invalid, "\(place).\(name): expected a string, found \(member.kindName)")
      }
      return text
    }
    func needed(_ name: String, _ type: String) throws -> String {
      let text = try text(name)
      guard !text.isEmpty else {
        throw DroverError(.invalid, "\(place).\(name): missing; a source of type \(type) needs it")
      }
      return text
    }
    func headers() throws -> [String: String] {
      guard let headers = value.member("headers"), !headers.isNull else { return [:] }
      guard let object = headers.object else {
        throw DroverError(.invalid, "\(place).Headers: expected an object, found \(headers.kindName)")
      }
      return try Dictionary(
        object.map { name, value in
          guard let text = value.scalarText else {
            throw DroverError(.invalid, "\(place).Headers.\(name): expected a string, found \(value.kindName)")
          }
          return (name, text)
        }, uniquingKeysWith: { _, last in last })
    }
    let type = try text("Type")
    switch type {
    case "":
      throw DroverError(
        .invalid, "\(place).Type: missing; expected one of \(Self.knownTypes.joined(separator: ", "))")
    case "File":
      let paths = (try text("SettingsPath"), try text("UserDataPath"), try text("MetaDataPath"))
      guard !paths.0.isEmpty || !paths.1.isEmpty else {
        throw DroverError(.invalid, "\(place).SettingsPath: missing; a source of type File needs it, or UserDataPath")
      }
      self = .file(settingsPath: paths.0, userDataPath: paths.1, metaDataPath: paths.2)
    case "HTTP":
      self = .http(
        HTTPPlaces(
          uri: try needed("URI", type), headers: try headers(), userDataPath: try needed("UserDataPath", type),
          sshKeysPath: try text("SSHKeysPath"), tokenPath: try text("TokenPath"),
          instanceIDPath: try text("InstanceIDPath")))
    case "InstanceMetadata":
      self = .instanceMetadata(
        uri: try needed("URI", type), headers: try headers(), settingsPath: try needed("SettingsPath", type))
    case "ConfigDrive":
      guard let disks = value.member("diskpaths")?.array?.compactMap(\.string), !disks.isEmpty else {
        throw DroverError(.invalid, "\(place).DiskPaths: missing; a source of type ConfigDrive needs at least one")
      }
      self = .configDrive(
        diskPaths: disks, userDataPath: try needed("UserDataPath", type), metaDataPath: try text("MetaDataPath"))
    case "CDROM": self = .cdrom(fileName: try needed("FileName", type))
    case "VsphereGuestInfo":
      let (rpcTool, toolsDaemon) = (try text("RpcToolPath"), try text("VmToolsdPath"))
      self = .vsphereGuestInfo(
        rpcTool: rpcTool.isEmpty ? "vmware-rpctool" : rpcTool,
        toolsDaemon: toolsDaemon.isEmpty ? "vmtoolsd" : toolsDaemon)
    default:
      throw DroverError(
        .invalid, "\(place).Type: unknown type '\(type)'; known are \(Self.knownTypes.joined(separator: ", "))")
    }
  }
}
