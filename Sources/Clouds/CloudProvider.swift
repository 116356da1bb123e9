public import Formats

/// What makes VMs and disks: the CPI API version 2 as typed calls (reference/director.md C.9).
///
/// Every call throws ``CloudError`` when the cloud refuses, and may throw ``DroverError`` when it cannot be reached.
public protocol CloudProvider: Sendable {
  /// What this cloud is able to do. A director asks for it before anything else.
  func info() async throws -> CloudInfo

  /// Makes a stemcell from its image.
  /// - Parameters:
  ///   - imagePath: the `image` file of the stemcell tarball, on this machine.
  ///   - cloudProperties: those of `stemcell.MF`.
  ///   - tags: passed on when the CPI speaks version 3.
  /// - Returns: the stemcell's id in the cloud.
  func createStemcell(imagePath: String, cloudProperties: ValueObject, tags: ValueObject) async throws -> String
  func deleteStemcell(_ stemcell: String) async throws

  func createVM(_ request: VMRequest) async throws -> CreatedVM
  /// Deletes a VM; its persistent disks stay. Throws `VMNotFound` when there is none.
  func deleteVM(_ vm: String) async throws
  func hasVM(_ vm: String) async throws -> Bool
  /// The id of the VM that was made for this agent, of which the answer may have been lost; nil when there is none, or
  /// when the cloud can't say.
  func vm(ofAgent agentID: String) async throws -> String?
  func rebootVM(_ vm: String) async throws
  func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws
  /// What `cloud_properties` a VM of this size needs.
  func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject

  /// Makes a persistent disk.
  /// - Parameters:
  ///   - megabytes: its size.
  ///   - vm: the VM that it will be attached to, where that helps the cloud to choose a place.
  func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String
  func deleteDisk(_ disk: String) async throws
  func hasDisk(_ disk: String) async throws -> Bool
  /// Attaches a disk and returns the hint by which the agent finds it: a string or an object, such as
  /// `{"path": "/var/vcap/disks/disk-…"}`.
  func attachDisk(_ disk: String, to vm: String) async throws -> Value
  func detachDisk(_ disk: String, from vm: String) async throws
  /// The ids of the disks attached to a VM.
  func disks(of vm: String) async throws -> [String]
  func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws
  /// Makes a disk larger; throws `NotSupported` where a cloud can't.
  func resizeDisk(_ disk: String, megabytes: Int) async throws
}

extension CloudProvider {
  /// The CPI API has no such call.
  public func vm(ofAgent agentID: String) async throws -> String? { nil }
}

/// What a cloud says of itself.
public struct CloudInfo: Sendable, Hashable {
  /// The formats of stemcells that it takes; empty means that it does not say.
  public var stemcellFormats: [String]
  /// The CPI API version it speaks; 1 when it did not say.
  public var apiVersion: Int

  public init(stemcellFormats: [String], apiVersion: Int) {
    self.stemcellFormats = stemcellFormats
    self.apiVersion = apiVersion
  }
}

/// A VM to be made.
public struct VMRequest: Sendable, Hashable {
  /// The agent's id, which is also the VM's identity on the bus. The runc cloud makes one VM per agent id, however
  /// often it is asked.
  public var agentID: String
  /// The stemcell's id in the cloud.
  public var stemcell: String
  /// `cloud_properties` of the VM type and extensions, merged. Of the runc cloud: ``VMResources``.
  public var cloudProperties: ValueObject
  /// Network settings by name, as reference/director.md B.4 has them.
  public var networks: ValueObject
  /// Disks that will be attached, so that the cloud may place the VM near them.
  public var disks: [String]
  /// `env` of the settings document, passed on as it is.
  public var env: ValueObject

  public init(
    agentID: String, stemcell: String, cloudProperties: ValueObject = [:], networks: ValueObject = [:],
    disks: [String] = [], env: ValueObject = [:]
  ) {
    self.agentID = agentID
    self.stemcell = stemcell
    self.cloudProperties = cloudProperties
    self.networks = networks
    self.disks = disks
    self.env = env
  }
}

/// A VM that was made.
public struct CreatedVM: Sendable, Hashable {
  public var id: String
  /// The networks as the cloud made them; the requested ones when the CPI answered with the id alone.
  public var networks: ValueObject

  public init(id: String, networks: ValueObject) {
    self.id = id
    self.networks = networks
  }
}

/// A size of VM in words that every cloud understands (`vm_resources` of a manifest).
public struct VMSize: Sendable, Hashable {
  public var cpus: Int
  /// MB.
  public var memory: Int
  /// MB.
  public var ephemeralDisk: Int

  public init(cpus: Int, memory: Int, ephemeralDisk: Int) {
    self.cpus = cpus
    self.memory = memory
    self.ephemeralDisk = ephemeralDisk
  }
}
