public import AgentProtocol
public import Blobs
import Certificates
public import Clouds
public import Documents
public import Formats
public import Logging
public import Messaging
public import Surroundings
public import Templates

/// Makes the value of a variable: of its name, type, options, and the value of its authority.
public typealias SecretMaking = @Sendable (String, String, Value, Value?) async throws -> Value

/// Everything a director stands on, given to it from outside (design D15): real ones in `droverd`, in-memory ones in a
/// simulation.
public struct DirectorEngines: Sendable {
  public var store: any DocumentStore
  public var journals: any Journals
  public var blobs: any BlobStore
  public var blobAddresses: BlobAddresses
  public var bus: any MessageBus
  public var identities: any AgentIdentities
  public var cloud: any CloudProvider
  public var renderer: any TemplateRenderer
  /// Where errands lease what they need; nil when there are no pools.
  public var leases: (any ResourceLeases)?
  public var surroundings: Surroundings
  public var logger: Logger
  /// A folder for uploads and archives in the making; emptied of what no task needs at start.
  public var workDirectory: String
  public var zones = TimeZones()
  /// Makes the values of variables.
  public var secrets: SecretMaking
  /// How many tasks of a type and user that have ended are kept.
  public var keptTasks = 500

  public init(
    store: any DocumentStore, journals: any Journals, blobs: any BlobStore, blobAddresses: BlobAddresses,
    bus: any MessageBus, identities: any AgentIdentities, cloud: any CloudProvider, renderer: any TemplateRenderer,
    leases: (any ResourceLeases)? = nil, surroundings: Surroundings, logger: Logger, workDirectory: String
  ) {
    self.store = store
    self.journals = journals
    self.blobs = blobs
    self.blobAddresses = blobAddresses
    self.bus = bus
    self.identities = identities
    self.cloud = cloud
    self.renderer = renderer
    self.leases = leases
    self.surroundings = surroundings
    self.logger = logger
    self.workDirectory = workDirectory
    let maker = SecretMaker(surroundings: surroundings)
    secrets = { name, type, options, authority in
      try await blocking { try maker.make(name, type: type, options: options, authority: authority) }
    }
  }
}

/// What lets an agent on the bus: each has an identity of its own (design D2).
public protocol AgentIdentities: Sendable {
  /// The bus settings of an agent, made now or before: an agent that is asked for again has the same ones.
  func issue(_ agentID: String) async throws -> BusSettings
  /// The agent is gone; its identity is worth nothing from now on.
  func withdraw(_ agentID: String) async throws
  /// Those that exist, after a restart of the server.
  func restore(_ agentIDs: [String]) async throws
}

/// Where agents find blobs: signed addresses that expire (reference/director.md F.3).
public struct BlobAddresses: Sendable {
  /// Without a slash at its end: `https://10.254.0.1:25250`.
  public var endpoint: String
  /// Of the certificate that is served there.
  public var caPEM: String
  private let signer: SignedURL
  private let surroundings: Surroundings

  public init(endpoint: String, caPEM: String, signer: SignedURL, surroundings: Surroundings) {
    self.endpoint = endpoint
    self.caPEM = caPEM
    self.signer = signer
    self.surroundings = surroundings
  }

  /// Where to get a blob.
  func get(_ id: String) throws -> String {
    try signer.url(.get, id, endpoint: endpoint, now: surroundings.now())
  }

  /// Where to put a new one.
  func put(_ id: String) throws -> String {
    try signer.url(.put, id, endpoint: endpoint, now: surroundings.now())
  }
}
