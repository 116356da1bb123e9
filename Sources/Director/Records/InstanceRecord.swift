/// An instance of an instance group, with or without a VM. Kind `instance`, named `DEPLOYMENT/GROUP/UUID`.
public struct InstanceRecord: Codable, Sendable, Hashable {
  /// What an operator wants of it.
  public enum State: String, Codable, Sendable, Hashable { case started, stopped, detached }

  public var deployment: String
  public var group: String
  /// The instance's UUID, for ever.
  public var id: String
  /// The lowest number that was free when it was made, kept.
  public var index: Int
  public var az: String?
  public var bootstrap: Bool
  public var state: State
  /// Addresses by network name.
  public var addresses: [String: String]
  public var vm: VMRecord?
  /// CPI ids of its persistent disks; the first is mounted on store.
  public var disks: [DiskRecord]
  /// The apply spec that was last applied in full, as JSON text; nil before the first time.
  public var appliedSpec: String?
  /// What ``appliedSpec`` was made of, so that changes are found without asking the agent; nil before the first time.
  public var fingerprint: InstanceFingerprint?
  /// Whether the last update went through to its end.
  public var updateCompleted: Bool
  /// How far the last task came with it; nil before the first one.
  public var progress: InstanceProgress?

  public init(
    deployment: String, group: String, id: String, index: Int, az: String? = nil, bootstrap: Bool = false,
    state: State = .started, addresses: [String: String] = [:], vm: VMRecord? = nil, disks: [DiskRecord] = [],
    appliedSpec: String? = nil, fingerprint: InstanceFingerprint? = nil, updateCompleted: Bool = false
  ) {
    self.deployment = deployment
    self.group = group
    self.id = id
    self.index = index
    self.az = az
    self.bootstrap = bootstrap
    self.state = state
    self.addresses = addresses
    self.vm = vm
    self.disks = disks
    self.appliedSpec = appliedSpec
    self.fingerprint = fingerprint
    self.updateCompleted = updateCompleted
  }

  /// The document's name.
  public var documentName: String { "\(deployment)/\(group)/\(id)" }
  /// What people call it: `group/uuid (index)`.
  public var label: String { "\(group)/\(id) (\(index))" }
}

/// How far a task has come with an instance, so that a server that takes the task up again goes on with the step at which
/// the last one was killed (design D7).
public struct InstanceProgress: Codable, Sendable, Hashable {
  /// What the task does with it.
  public enum Work: String, Codable, Sendable, Hashable { case update, removal }

  public var task: Int
  public var work: Work
  /// The instance as it was when the task began with it, as JSON text: the steps are planned from it, also after a restart.
  public var base: String
  /// How many of the steps have been taken.
  public var done: Int
  /// Whether the task is through with it.
  public var isFinished: Bool

  public init(task: Int, work: Work, base: String, done: Int = 0, isFinished: Bool = false) {
    self.task = task
    self.work = work
    self.base = base
    self.done = done
    self.isFinished = isFinished
  }
}

/// The VM of an instance. ``cid`` is nil between the decision to make it and the CPI's answer.
public struct VMRecord: Codable, Sendable, Hashable {
  public var agentID: String
  public var cid: String?
  /// `NAME/VERSION` of its stemcell.
  public var stemcell: String
  /// Digest over what a VM must be made anew for: stemcell, cloud properties, networks, env.
  public var recipe: String
  /// Seconds since 1970.
  public var createdAt: Int

  public init(agentID: String, cid: String? = nil, stemcell: String, recipe: String, createdAt: Int) {
    self.agentID = agentID
    self.cid = cid
    self.stemcell = stemcell
    self.recipe = recipe
    self.createdAt = createdAt
  }
}

/// A persistent disk of an instance.
public struct DiskRecord: Codable, Sendable, Hashable {
  public var cid: String
  /// MB.
  public var size: Int
  /// The disk type's cloud properties as JSON text with sorted keys.
  public var cloudProperties: String

  public init(cid: String, size: Int, cloudProperties: String) {
    self.cid = cid
    self.size = size
    self.cloudProperties = cloudProperties
  }
}

/// Digests of everything that an instance's update depends on; two that are equal need no update.
public struct InstanceFingerprint: Codable, Sendable, Hashable {
  /// Stemcell, cloud properties, networks, env: a difference makes a new VM.
  public var vm: String
  /// Rendered files of all jobs.
  public var configuration: String
  /// Names, fingerprints and order of jobs.
  public var jobs: String
  /// Compiled packages.
  public var packages: String
  public var disk: String
  public var tags: String

  public init(vm: String, configuration: String, jobs: String, packages: String, disk: String, tags: String) {
    self.vm = vm
    self.configuration = configuration
    self.jobs = jobs
    self.packages = packages
    self.disk = disk
    self.tags = tags
  }
}

/// An address that is taken, by whom. Kind `address`, named `NETWORK/ADDRESS`; create-only, so no two instances of any
/// deployments can hold the same one.
public struct AddressRecord: Codable, Sendable, Hashable {
  public var network: String
  public var address: String
  public var deployment: String
  /// Document name of the instance, or the agent id of a compilation VM.
  public var holder: String

  public init(network: String, address: String, deployment: String, holder: String) {
    self.network = network
    self.address = address
    self.deployment = deployment
    self.holder = holder
  }
}
