import Configuration
import Formats
import GoConventions
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
  /// What the server runs besides, as the file of resources says it: janitor, cleaner, mason.
  var services: Set<Service>
  /// How many clean-ups, and how many builds, run beside each other.
  var janitorPoolSize: Int
  var masonPoolSize: Int

  enum Service: String, Sendable, CaseIterable { case reaper, janitor, cleaner, mason }

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
    services = try Self.services(reader)
    if services.contains(.reaper), reaperExpiry == nil { reaperExpiry = .seconds(1800) }
    func size(_ key: ConfigKey, _ fallback: Int) throws -> Int {
      guard let text = reader.string(forKey: key) ?? reader.int(forKey: key).map(String.init) else { return fallback }
      guard let size = Int(text), (1...10_000).contains(size) else {
        throw DroverError(.invalid, "configuration \(key): expected a number from 1 to 10000, found '\(text)'")
      }
      return size
    }
    janitorPoolSize = try size("pools.janitor_pool_size", 20)
    masonPoolSize = try size("pools.mason_pool_size", 15)
  }

  /// A list, or a text with commas between.
  private static func services(_ reader: ConfigReader) throws -> Set<Service> {
    let names =
      reader.stringArray(forKey: "pools.services")
      ?? reader.string(forKey: "pools.services").map { $0.split(separator: ",").map(String.init) } ?? []
    let services = try names.flatMap { $0.split(separator: ",") }.map { name in
      guard let service = Service(rawValue: String(name)) else {
        let known = Service.allCases.map(\.rawValue).joined(separator: ", ")
        throw DroverError(.invalid, "configuration pools.services: expected some of \(known), found '\(name)'")
      }
      return service
    }
    return Set(services)
  }

  func configuration(database: String, sealKeyFile: String, hasErrands: Bool) -> PoolsServer.Configuration {
    .init(
      resources: resources, address: address, port: port, healthPort: healthPort, metricsPort: metricsPort,
      database: database, sealKeyFile: sealKeyFile, requestTime: requestTime, reaperExpiry: reaperExpiry, users: users,
      hasErrands: hasErrands)
  }
}
