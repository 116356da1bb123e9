public import Formats

/// What a deployment should be: a manifest in BOSH's version 2 form, or translated to it (`reference/director.md B.1`), read and checked as
/// far as it can be without cloud config, releases and stemcells.
public struct DeploymentManifest: Sendable, Hashable {
  public var name: String
  public var releases: [ReleaseReference]
  public var stemcells: [StemcellReference]
  public var update: UpdatePolicy
  public var instanceGroups: [InstanceGroup]
  public var addons: [Addon]
  /// What is said of runs of errands.
  public var errands: [ErrandPolicy]
  public var variables: [VariableDefinition]
  public var features: DeploymentFeatures
  public var tags: [String: String]
  /// Deprecated properties of all jobs.
  public var properties: ValueObject
  /// What a manifest of version 1 says instead of the director's cloud configs; nil in other manifests.
  public var ownCloudConfig: CloudConfig?
  /// What whoever deploys it should know.
  public var warnings: [String]
}

/// A release that a deployment uses.
public struct ReleaseReference: Sendable, Hashable {
  public var name: String
  public var version: VersionRequest
  /// Where the command line gets it; the director ignores it.
  public var url: String?
  /// When not empty, compiled packages must exist for exactly these stemcells, as `os/version`.
  public var exportedFrom: [String]
}

/// A stemcell that instance groups name by its alias.
public struct StemcellReference: Sendable, Hashable {
  public enum Selector: Sendable, Hashable { case operatingSystem(String), name(String) }

  public var alias: String
  public var selector: Selector
  public var version: VersionRequest
}

/// Switches of a deployment (`reference/director.md B.8`); what a manifest leaves out is nil.
public struct DeploymentFeatures: Sendable, Hashable {
  public var useDNSAddresses: Bool?
  public var useShortDNSAddresses: Bool?
  public var useLinkDNSNames: Bool?
  public var randomizeAZPlacement: Bool?
  public var convergeVariables: Bool?
  public var useTmpfsConfig: Bool?

  public init() {}
}

/// A variable that the director makes a value for (`reference/director.md B.7`).
public struct VariableDefinition: Sendable, Hashable {
  public enum UpdateMode: String, CaseIterable, Sendable, Hashable {
    case noOverwrite = "no-overwrite"
    case overwrite, converge
  }

  public enum UpdateStrategy: String, CaseIterable, Sendable, Hashable {
    case onDeploy = "on-deploy"
    case onStemcellChange = "on-stemcell-change"
  }

  public var name: String
  /// `certificate`, `password`, `rsa`, `ssh`, `user`, …
  public var type: String
  public var options: Value
  /// Nil when it does not say: then the deployment's features do.
  public var updateMode: UpdateMode?
  public var updateStrategy: UpdateStrategy
  /// Links that give a certificate its names.
  public var consumes: ValueObject
}
