import Configuration
import Formats
import PoolsAPI
import PoolsProtocol

/// The pools of a server, as the configuration's section `pools` describes them.
struct PoolsSection: Sendable, Hashable {
  /// The file of resources.
  var resources: String
  var address: String
  var port: Int
  var healthPort: Int
  var metricsPort: Int
  var requestTime: Duration
  /// Nil when leases are not taken back by this server.
  var reaperExpiry: Duration?
  var users: String?

  /// - Returns: nil when there is no file of resources, and so no pools.
  init?(_ reader: ConfigReader, port: (ConfigKey, Int) throws -> Int) throws {
    guard let resources = reader.string(forKey: "pools.resources"), !resources.isEmpty else { return nil }
    self.resources = resources
    address = reader.string(forKey: "pools.address", default: "127.0.0.1")
    self.port = try port("pools.port", 8080)
    healthPort = try port("pools.health_port", 8081)
    metricsPort = try port("pools.metrics_port", 9090)
    func duration(_ key: ConfigKey) throws -> Duration? {
      do {
        return try reader.string(forKey: key).map { try GoDuration.parse($0) }
      } catch {
        throw DroverError(.invalid, "configuration \(key)", cause: error)
      }
    }
    requestTime = try duration("pools.request_ttl") ?? .seconds(30)
    reaperExpiry = try duration("pools.reaper_expire")
    users = reader.string(forKey: "pools.users").flatMap { $0.isEmpty ? nil : $0 }
  }

  func configuration(database: String) -> PoolsServer.Configuration {
    .init(
      resources: resources, address: address, port: port, healthPort: healthPort, metricsPort: metricsPort,
      database: database, requestTime: requestTime, reaperExpiry: reaperExpiry, users: users)
  }
}
