public import Manifests

/// Everything that a deployment is decided from. Planning looks at nothing else: equal inputs give equal plans.
public struct DeploymentInputs: Sendable, Equatable {
  public var directorName: String
  public var manifest: DeploymentManifest
  public var cloudConfig: CloudConfig
  public var runtimeConfig: RuntimeConfig
  /// Teams that the deployment belongs to; addons may ask for them.
  public var teams: [String]
  /// All that are uploaded.
  public var releases: [ReleaseRecord]
  /// All that are uploaded.
  public var stemcells: [StemcellRecord]
  /// The instances that this deployment has now.
  public var instances: [InstanceRecord]
  /// The addresses that are taken, of all deployments.
  public var addresses: [AddressRecord]
  /// Addresses of the director itself, which no instance may get.
  public var directorAddresses: [IPAddress]
  /// The top-level domain of DNS names.
  public var domain: String
  public var options: DeployOptions
  /// Whether an instance for which there is no address is left out, instead of being an error: what was deployed before
  /// need not fit any more, while a deploy goes on, to what there is of the groups that it changes.
  public var leavesOutHomeless = false
  /// Makes the UUIDs of new instances, in the order in which they are decided.
  public var newIdentifier: NewIdentifier

  public init(
    directorName: String, manifest: DeploymentManifest, cloudConfig: CloudConfig,
    runtimeConfig: RuntimeConfig = RuntimeConfig(), teams: [String] = [], releases: [ReleaseRecord],
    stemcells: [StemcellRecord], instances: [InstanceRecord] = [], addresses: [AddressRecord] = [],
    directorAddresses: [IPAddress] = [], domain: String = "bosh", options: DeployOptions = DeployOptions(),
    newIdentifier: @escaping @Sendable () -> String
  ) {
    self.directorName = directorName
    self.manifest = manifest
    self.cloudConfig = cloudConfig
    self.runtimeConfig = runtimeConfig
    self.teams = teams
    self.releases = releases
    self.stemcells = stemcells
    self.instances = instances
    self.addresses = addresses
    self.directorAddresses = directorAddresses
    self.domain = domain
    self.options = options
    self.newIdentifier = NewIdentifier(newIdentifier)
  }
}

/// Makes UUIDs of new instances. It decides nothing, so that any two are equal.
public struct NewIdentifier: Sendable, Equatable {
  private let make: @Sendable () -> String

  public init(_ make: @escaping @Sendable () -> String) { self.make = make }

  public func callAsFunction() -> String { make() }

  public static func == (left: NewIdentifier, right: NewIdentifier) -> Bool { true }
}
