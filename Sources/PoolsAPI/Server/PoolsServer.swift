import Documents
import Formats
public import Logging
public import Pools
public import ServiceLifecycle
public import Surroundings

/// A server of pools on real ports: the API, health and metrics (reference/boskos.md 7).
public struct PoolsServer: Sendable {
  public struct Configuration: Sendable {
    /// The file of resources.
    public var resources: String
    /// Where everything listens; `0.0.0.0` is everywhere.
    public var address: String
    public var port: Int
    public var healthPort: Int
    public var metricsPort: Int
    /// The database; nil keeps everything in memory.
    public var database: String?
    /// The file of keys that user data in the database are sealed with; nil leaves them in clear.
    public var sealKeyFile: String?
    public var requestTime: Duration
    /// After how much silence a lease is taken back, where the file of resources does not say it; nil leaves that to
    /// others.
    public var reaperExpiry: Duration?
    /// A file of users, see ``PoolUsers``; nil lets everybody in.
    public var users: String?
    /// Whether somebody runs the errands that the file of resources names; it is refused otherwise.
    public var hasErrands: Bool

    public init(
      resources: String, address: String = "127.0.0.1", port: Int = 8080, healthPort: Int = 8081,
      metricsPort: Int = 9090, database: String?, sealKeyFile: String? = nil,
      requestTime: Duration = .seconds(30),
      reaperExpiry: Duration? = nil, users: String? = nil, hasErrands: Bool = false
    ) {
      self.resources = resources
      self.address = address
      self.port = port
      self.healthPort = healthPort
      self.metricsPort = metricsPort
      self.database = database
      self.sealKeyFile = sealKeyFile
      self.requestTime = requestTime
      self.reaperExpiry = reaperExpiry
      self.users = users
      self.hasErrands = hasErrands
    }
  }

  /// To be run one beside the other, and stopped the last one first.
  public var services: [any Service]
  /// The pools themselves, for services inside this process.
  public let keeper: PoolKeeper
  private let store: (any DocumentStore)?

  /// Reads the database and the configuration.
  ///
  /// - Throws: when one of them, or the file of users, cannot be used.
  public static func prepare(
    _ configuration: Configuration, surroundings: Surroundings, logger: Logger
  ) async throws -> PoolsServer {
    var users: PoolUsers?
    if let path = configuration.users {
      users = try PoolUsers(String(decoding: try ResourceFile.read(path, limit: 1 << 20), as: UTF8.self))
    }
    var store: (any DocumentStore)?
    // Nobody watches the documents of pools.
    if let path = configuration.database { store = try await SQLiteDocumentStore.open(path, history: 1) }
    if let opened = store, let path = configuration.sealKeyFile {
      store = try await SealedDocumentStore.open(opened, keyFile: path, surroundings)
    }
    let keeper = try await PoolKeeper(
      store: store, options: .init(requestTime: configuration.requestTime), surroundings: surroundings, logger: logger)
    let metrics = PoolMetrics()
    let file = try await firstResources(configuration)
    try await keeper.configure(file.configuration)
    metrics.configured(fault: nil)
    let calls = PoolCalls(keeper: keeper, users: users, metrics: metrics, surroundings: surroundings)
    let readiness = Readiness()
    let services: [any Service] = [
      KeeperService(keeper: keeper),
      InnerReaper(
        keeper: keeper, expiry: configuration.reaperExpiry, surroundings: surroundings, logger: logger),
      ResourceFileWatch(file: file, keeper: keeper, metrics: metrics, surroundings: surroundings, logger: logger),
      ListeningService(
        PoolsFace.metrics(
          keeper, metrics, address: configuration.address, port: configuration.metricsPort, logger: logger),
        "the pools' metrics", address: configuration.address, port: configuration.metricsPort),
      ListeningService(
        PoolsFace.health(
          readiness, metrics, address: configuration.address, port: configuration.healthPort, logger: logger),
        "the pools' health", address: configuration.address, port: configuration.healthPort),
      ListeningService(
        PoolsFace.api(calls, readiness, address: configuration.address, port: configuration.port, logger: logger),
        "the pools' API", address: configuration.address, port: configuration.port),
    ]
    return PoolsServer(services: services, keeper: keeper, store: store)
  }

  private static func firstResources(_ configuration: Configuration) async throws -> ResourceFile {
    do {
      return try await ResourceFile.load(configuration.resources, hasErrands: configuration.hasErrands)
    } catch let error as DroverError where error.code != .notFound {
      // Its faults are told by places in it.
      throw DroverError(error.code, configuration.resources, cause: error)
    }
  }

  /// To be called when the services have ended.
  public func close() async throws { try await store?.close() }
}

/// Does what is due in the pools.
struct KeeperService: Service {
  let keeper: PoolKeeper

  func run() async throws { await cancelWhenGracefulShutdown { await keeper.run() } }
}
