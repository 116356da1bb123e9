import Digests
public import Formats
public import Manifests
public import Releases
public import Templates

/// A deployment in which every name has been looked up and every instance has its place: what is to be rendered, and,
/// once that is done, planned.
public struct ResolvedDeployment: Sendable, Hashable {
  public var name: String
  public var directorName: String
  /// The releases in use, in the order of the manifest.
  public var releases: [ReleaseRecord]
  /// The stemcells in use, by alias.
  public var stemcells: [String: StemcellRecord]
  /// Groups in the order of the manifest.
  public var groups: [ResolvedGroup]
  /// Instances that are there and not wanted any more.
  public var obsolete: [InstanceRecord]
  /// Addresses that must be written down before anything is made.
  public var reservations: [AddressRecord]
  /// Addresses that instances that stay will have no use for once they are updated.
  public var releasedAddresses: [AddressRecord]
  public var compilation: CompilationSite
  public var packages: CompilationGraph
  public var options: DeployOptions

  /// `NAME/VERSION` of the releases and stemcells, for the deployment's record.
  public var releaseNames: [String] { releases.map { "\($0.name)/\($0.version)" }.sorted() }
  public var stemcellNames: [String] { Set(stemcells.values.map { "\($0.name)/\($0.version)" }).sorted() }

  /// All instances that should be there, in the order of groups and indexes.
  public var instances: [ResolvedInstance] { groups.flatMap(\.instances) }
  public func group(_ name: String) -> ResolvedGroup? { groups.first { $0.name == name } }
  public func instance(_ id: String) -> ResolvedInstance? { instances.first { $0.id == id } }
}

/// An instance group with everything that its instances share.
public struct ResolvedGroup: Sendable, Hashable {
  public var name: String
  public var lifecycle: InstanceGroup.Lifecycle
  public var jobs: [ResolvedJob]
  public var stemcell: StemcellRecord
  public var vm: InstanceGroup.VMRequest
  public var update: UpdatePolicy
  /// Nil when none is wanted.
  public var disk: ResolvedDisk?
  /// `env` of the manifest, with `((variables))` still in it.
  public var env: ValueObject
  public var tags: [String: String]
  public var networks: [GroupNetwork]
  /// By index.
  public var instances: [ResolvedInstance]
}

/// A persistent disk that an instance should have.
public struct ResolvedDisk: Sendable, Hashable {
  /// MB.
  public var size: Int
  public var cloudProperties: ValueObject
}

/// A job as the instances of a group run it.
public struct ResolvedJob: Sendable, Hashable {
  public var name: String
  public var release: String
  public var releaseVersion: String
  public var record: JobRecord
  public var spec: JobSpec
  /// Only those that the job's spec declares, with defaults filled in; `((variables))` still in them.
  public var properties: Value
  /// Content of the links that the job consumes, by name.
  public var links: ValueObject
  /// For `.bosh/links.json`.
  public var providedLinks: [ProvidedLink]
  /// Packages needed at run time.
  public var packages: [PackageRecord]

  public var kind: JobKind { record.kind ?? .job }
  /// Whether it can be run as an errand: it is one, or has a script `bin/run`.
  public var isErrand: Bool { spec.isErrand(as: kind) }
}

/// An instance that should be there.
public struct ResolvedInstance: Sendable, Hashable {
  /// What there is of it now; nil for a new one.
  public var current: InstanceRecord?
  public var deployment: String
  public var group: String
  public var id: String
  public var index: Int
  public var az: String?
  public var bootstrap: Bool
  /// What is wanted of it.
  public var state: InstanceRecord.State
  /// Addresses by network name, for manual and vip networks.
  public var addresses: [String: String]
  /// Network settings as the CPI and the agent get them (`reference/director.md B.4`), by network name.
  public var networks: ValueObject
  /// Of AZ, VM type and extensions, merged. For `vm_resources`, what is to be merged over the CPI's answer.
  public var cloudProperties: ValueObject
  /// What its VM is made of, to be compared with ``VMRecord/recipe``.
  public var recipe: VMRecipe
  /// The address that other instances use.
  public var address: String?
  /// Its DNS name in each network.
  public var dnsNames: [String: String]
  /// Name of its domain.
  public var domain: String

  public var label: String { "\(group)/\(id) (\(index))" }

  /// The record of the instance before anything has been done for it: a new one, or the current one with its new place.
  public var record: InstanceRecord {
    var record =
      current ?? InstanceRecord(deployment: deployment, group: group, id: id, index: index)
    record.group = group
    record.az = az
    record.bootstrap = bootstrap
    // Written down before it is true: until it is, the instance is not as it should be.
    if record.state != state { record.updateCompleted = false }
    record.state = state
    record.addresses = addresses
    return record
  }
}

/// Digests of the things for which a VM must be made anew. The text of it is ``VMRecord/recipe``.
public struct VMRecipe: Sendable, Hashable, CustomStringConvertible {
  /// What a recipe is made of, in the order of the text.
  public enum Part: String, CaseIterable, Sendable, Hashable {
    case cloudProperties = "cloud_properties"
    case env
    case networks
    case stemcell
  }

  private var digests: [Part: String]

  public init(cloudProperties: Value, env: Value, networks: Value, stemcell: Value) {
    digests = [
      .cloudProperties: digest(of: cloudProperties), .env: digest(of: env), .networks: digest(of: networks),
      .stemcell: digest(of: stemcell),
    ]
  }

  /// Reads the text of a record; what it does not have differs from everything.
  public init(_ text: String) {
    digests = [:]
    for pair in text.split(separator: " ") {
      let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2, let part = Part(rawValue: halves[0]) else { continue }
      digests[part] = halves[1]
    }
  }

  /// The parts in which two recipes differ.
  public func differences(from other: VMRecipe) -> [Part] {
    Part.allCases.filter { digests[$0] == nil || digests[$0] != other.digests[$0] }
  }

  public var description: String {
    Part.allCases.compactMap { part in digests[part].map { "\(part.rawValue)=\($0)" } }.joined(separator: " ")
  }
}

/// A digest over a value, whatever the order of its members.
func digest(of value: Value) -> String {
  String(DigestHasher.hex(.sha256, JSON.bytes(value, JSON.Style(sorted: true))).prefix(32))
}

/// Where packages are compiled.
public struct CompilationSite: Sendable, Hashable {
  /// How many VMs at once.
  public var workers: Int
  public var reuseVMs: Bool
  public var vm: CompilationSettings.VM
  public var az: String?
  /// Of AZ, VM type and extensions, merged.
  public var cloudProperties: ValueObject
  public var env: ValueObject
  public var network: Network
  /// Not to be given to compilation VMs: taken or reserved for this deployment.
  public var takenAddresses: Set<IPAddress>
  public var directorAddresses: [IPAddress]
}
