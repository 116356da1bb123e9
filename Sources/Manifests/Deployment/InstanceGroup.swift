public import Formats
public import Releases

/// Instances that are alike: same jobs, same kind of VM (`reference/director.md B.3`).
public struct InstanceGroup: Sendable, Hashable {
  /// Whether its instances always run, or only while an errand does.
  public enum Lifecycle: String, CaseIterable, Sendable, Hashable { case service, errand }

  /// What kind of VM: a type of the cloud config, or sizes for which the CPI picks one.
  public enum VMRequest: Sendable, Hashable {
    case type(String)
    /// CPUs, memory in MB, ephemeral disk in MB.
    case resources(cpu: Int, memory: Int, ephemeralDisk: Int)
  }

  /// A persistent disk: a size in MB, or a type of the cloud config.
  public enum DiskRequest: Sendable, Hashable {
    case size(Int)
    case type(String)
  }

  /// One of several persistent disks, which jobs find by a link of type `disk`.
  public struct NamedDisk: Sendable, Hashable {
    public var name: String
    public var type: String
  }

  /// What an instance of another name is taken over from.
  public struct Migration: Sendable, Hashable {
    public var name: String
    public var az: String?
  }

  public var name: String
  public var lifecycle: Lifecycle
  public var instances: Int
  public var azs: [String]
  public var jobs: [JobReference]
  public var vm: VMRequest
  public var vmExtensions: [String]
  /// Alias of a stemcell of the manifest.
  public var stemcell: String
  /// The one disk on `/var/vcap/store`; nil when none is wanted.
  public var persistentDisk: DiskRequest?
  public var persistentDisks: [NamedDisk]
  public var networks: [GroupNetwork]
  public var update: UpdatePolicy
  public var migratedFrom: [Migration]
  public var env: ValueObject
  public var tags: [String: String]
  /// Deprecated properties of all jobs of the group.
  public var properties: ValueObject
}

/// A network that the instances of a group are in.
public struct GroupNetwork: Sendable, Hashable {
  /// What a network may be the default for.
  public enum Default: String, CaseIterable, Sendable, Hashable, Comparable {
    case addressable, dns, gateway

    public static func < (left: Default, right: Default) -> Bool { left.rawValue < right.rawValue }
  }

  public var name: String
  /// In the order they were written; nil when addresses are picked by the director.
  public var staticAddresses: [IPAddress]?
  public var defaults: Set<Default>
  public var nicGroup: String?
}

/// A job of a release that the instances of a group run.
public struct JobReference: Sendable, Hashable {
  public var name: String
  /// Nil when the deployment has just one release.
  public var release: String?
  /// When given, these replace the deployment's and the group's.
  public var properties: ValueObject?
  /// By the name of a link that the job consumes.
  public var consumes: [String: LinkConsumption]
  /// By the name of a link that the job provides.
  public var provides: [String: LinkProvision]
  public var customProviders: [CustomProvider]
  /// What it needs from the pools when it runs as an errand, over what its release says.
  public var leases: [ErrandLease]
}

/// What a manifest says about a link that a job consumes (`reference/director.md B.6`).
public enum LinkConsumption: Sendable, Hashable {
  /// `nil`: the job gets no link even if there is a provider.
  case blocked
  case request(Request)
  /// The content itself: `{instances, properties, address}`.
  case manual(ValueObject)

  public struct Request: Sendable, Hashable {
    /// Alias or name of the provider; nil for the only one of the type.
    public var from: String?
    /// Another deployment, whose provider must be shared.
    public var deployment: String?
    /// The network whose addresses are wanted.
    public var network: String?
    /// Whether addresses instead of DNS names are wanted.
    public var ipAddresses: Bool?

    public init(
      from: String? = nil, deployment: String? = nil, network: String? = nil, ipAddresses: Bool? = nil
    ) {
      self.from = from
      self.deployment = deployment
      self.network = network
      self.ipAddresses = ipAddresses
    }
  }
}

/// What a manifest says about a link that a job provides.
public enum LinkProvision: Sendable, Hashable {
  /// `nil`: not provided.
  case blocked
  case settings(Settings)

  public struct Settings: Sendable, Hashable {
    public var alias: String?
    /// Whether other deployments may consume it.
    public var shared: Bool
    public var dnsAliases: [Value]

    public init(alias: String? = nil, shared: Bool = false, dnsAliases: [Value] = []) {
      self.alias = alias
      self.shared = shared
      self.dnsAliases = dnsAliases
    }
  }
}

/// A provider that a release lacks.
public struct CustomProvider: Sendable, Hashable {
  public var name: String
  public var type: String
  /// Dotted names of properties of the job.
  public var properties: [String]
}
