import Configuration
import Files
import Formats

/// What a server is told: by its configuration file, by environment variables (`DROVER_…`) over that, and by flags over
/// both. Everything has a default that works.
public struct ServerConfiguration: Sendable {
  /// The server's name: in what it makes on this host (bridges, cgroups, rules), and as director name.
  public var name: String
  /// Everything that is kept lies under this directory.
  public var stateDirectory: String
  /// Where the director's API listens.
  public var apiAddress: String
  public var apiPort: Int
  /// Other names and addresses in the API's certificate.
  public var apiNames: [String]
  /// The address of this host that VMs reach, for the bus and for blobs.
  public var endpointAddress: String
  public var natsPort: Int
  public var blobPort: Int
  /// The NATS cluster of others that is used; nil for a nats-server of our own.
  var cluster: ClusterConfiguration?
  /// Pools of resources that are leased; nil when there are none.
  var pools: PoolsSection?
  /// Pools elsewhere that errands lease from; nil for the server's own.
  var leases: LeasesSection?
  /// Where the keys are that secrets in the documents are sealed with; nil for the state directory.
  var sealKeyFile: String?
  /// How many tasks of a type and user that have ended are kept.
  var keptTasks: Int
  /// Passwords by user; empty for one user `admin` whose password is made at first start.
  public var users: [String: String]
  /// Where the log goes; nil for standard error.
  var logFile: String?
  /// At how many bytes this log and the one of our nats-server are renamed.
  var logSize: Int
  /// How many renamed ones are kept.
  var logKeep: Int
  /// `trace` … `critical`.
  public var logLevel: String

  /// Reads the file (when there is one), the environment and the given flags, the later ones counting.
  ///
  /// - Parameter flags: by the names of the file's keys, `api.port`.
  /// - Throws: when the file cannot be read, or a value is not what its key wants.
  public static func load(file: String?, flags: [String: String]) throws -> ServerConfiguration {
    var providers: [any ConfigProvider] = [
      InMemoryProvider(
        values: Dictionary(
          uniqueKeysWithValues: flags.map {
            (AbsoluteConfigKey($0.split(separator: ".").map(String.init)), ConfigValue(.string($1), isSecret: false))
          })),
      KeyMappingProvider(upstream: EnvironmentVariablesProvider()) { key in key.prepending(["drover"]) },
    ]
    if let file { providers.append(InMemoryProvider(values: try ConfigurationFile.read(file))) }
    return try ServerConfiguration(ConfigReader(providers: providers))
  }

  init(_ reader: ConfigReader) throws {
    func text(_ key: ConfigKey, _ fallback: String) -> String { reader.string(forKey: key, default: fallback) }
    func port(_ key: ConfigKey, _ fallback: Int) throws -> Int {
      guard let text = reader.string(forKey: key) ?? reader.int(forKey: key).map(String.init) else { return fallback }
      guard let port = Int(text), (1...65535).contains(port) else {
        throw DroverError(.invalid, "configuration \(key): expected a port from 1 to 65535, found '\(text)'")
      }
      return port
    }
    name = text("name", "drover")
    stateDirectory = text("state", "/var/lib/drover")
    apiAddress = text("api.address", "127.0.0.1")
    apiPort = try port("api.port", 25555)
    apiNames = reader.stringArray(forKey: "api.names", default: [])
    endpointAddress = text("endpoint.address", "10.254.0.1")
    natsPort = try port("endpoint.nats_port", 4222)
    blobPort = try port("endpoint.blob_port", 25250)
    cluster = try ClusterConfiguration(reader)
    pools = try PoolsSection(reader, port: port)
    leases = try LeasesSection(reader)
    logLevel = text("log.level", "info")
    sealKeyFile = reader.string(forKey: "seal.key_file")
    if let path = sealKeyFile, !path.hasPrefix("/") {
      throw DroverError(.invalid, "configuration seal.key_file: expected an absolute path, found '\(path)'")
    }
    func count(_ key: ConfigKey, _ fallback: Int) throws -> Int {
      guard let text = reader.string(forKey: key) ?? reader.int(forKey: key).map(String.init) else { return fallback }
      guard let count = Int(text), count > 0 else {
        throw DroverError(.invalid, "configuration \(key): expected a number above 0, found '\(text)'")
      }
      return count
    }
    keptTasks = try count("tasks.keep", 500)
    logFile = reader.string(forKey: "log.file")
    logKeep = try count("log.keep", LogRotation.usualKeep)
    logSize = LogRotation.usualSize
    if let text = reader.string(forKey: "log.size") ?? reader.int(forKey: "log.size").map(String.init) {
      guard let size = try? ByteSize(text), size.bytes > 0 else {
        throw DroverError(.invalid, "configuration log.size: expected a size such as 10M, found '\(text)'")
      }
      logSize = size.bytes
    }
    if let path = logFile, !path.hasPrefix("/") {
      throw DroverError(.invalid, "configuration log.file: expected an absolute path, found '\(path)'")
    }
    users = [:]
    for user in reader.stringArray(forKey: "users", default: []) {
      let parts = user.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw DroverError(.invalid, "configuration users: expected entries NAME:PASSWORD, found '\(parts.first ?? "")'")
      }
      users[parts[0]] = parts[1]
    }
    guard !name.isEmpty, name.utf8.count <= 32,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
    else {
      throw DroverError(.invalid, "configuration name: expected up to 32 letters, digits and '-', found '\(name)'")
    }
    guard stateDirectory.hasPrefix("/") else {
      throw DroverError(.invalid, "configuration state: expected an absolute path, found '\(stateDirectory)'")
    }
  }
}
