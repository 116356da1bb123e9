public import Formats
public import Logging
public import Surroundings

/// The runc cloud: a VM is a runc container on an overlay of the stemcell's root file system, with its own network,
/// address, limits and disks (design D3).
///
/// VMs outlive the process that made them. Calls about different VMs run at the same time, calls about the same one in
/// turn, also between processes. Every step is on record before it is taken, so that ``recover()`` can finish or clean
/// what an interrupted call left.
public struct RuncCloud: Sendable {
  public let configuration: Configuration
  let surroundings: Surroundings
  let logger: Logger

  public init(configuration: Configuration, surroundings: Surroundings = .system, logger: Logger) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Adds the address at which VMs reach this server to the loopback interface.
  /// - Parameter address: with its prefix length, such as `10.254.0.1/32`.
  public func ensureHostEndpoint(_ address: String) async throws { throw CloudError(.notImplemented, "not yet") }

  /// Brings the cloud to what its records say: VMs that should run and don't (after a reboot of the host) are started
  /// again with the same files, address and disks; half-made ones and strays are removed. To be called once at start,
  /// before other calls.
  public func recover() async throws { throw CloudError(.notImplemented, "not yet") }

  /// Stops every VM and keeps everything, so that ``recover()`` starts them again.
  public func stopAll() async throws { throw CloudError(.notImplemented, "not yet") }

  /// Removes everything that this cloud ever made: VMs, disks, stemcells, bridges, rules and addresses.
  public func destroyAll() async throws { throw CloudError(.notImplemented, "not yet") }

  /// Every VM, by id.
  public func vms() async throws -> [VMStatus] { throw CloudError(.notImplemented, "not yet") }

  /// Runs a command in a VM as root, for people who look into it.
  public func exec(_ vm: String, _ arguments: [String]) async throws -> (status: Int, output: [UInt8], errors: [UInt8])
  { throw CloudError(.notImplemented, "not yet") }
}

extension RuncCloud: CloudProvider {
  public func info() async throws -> CloudInfo { CloudInfo(stemcellFormats: ["drover-runc"], apiVersion: 2) }
  public func createStemcell(imagePath: String, cloudProperties: ValueObject, tags: ValueObject) async throws -> String
  {
    throw CloudError(.notImplemented, "not yet")
  }
  public func deleteStemcell(_ stemcell: String) async throws { throw CloudError(.notImplemented, "not yet") }
  public func createVM(_ request: VMRequest) async throws -> CreatedVM { throw CloudError(.notImplemented, "not yet") }
  public func deleteVM(_ vm: String) async throws { throw CloudError(.notImplemented, "not yet") }
  public func hasVM(_ vm: String) async throws -> Bool { throw CloudError(.notImplemented, "not yet") }
  public func rebootVM(_ vm: String) async throws { throw CloudError(.notImplemented, "not yet") }
  public func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws {}
  public func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject { [:] }
  public func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String {
    throw CloudError(.notImplemented, "not yet")
  }
  public func deleteDisk(_ disk: String) async throws { throw CloudError(.notImplemented, "not yet") }
  public func hasDisk(_ disk: String) async throws -> Bool { throw CloudError(.notImplemented, "not yet") }
  public func attachDisk(_ disk: String, to vm: String) async throws -> Value { throw CloudError(.notImplemented, "") }
  public func detachDisk(_ disk: String, from vm: String) async throws { throw CloudError(.notImplemented, "not yet") }
  public func disks(of vm: String) async throws -> [String] { throw CloudError(.notImplemented, "not yet") }
  public func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws {}
  public func resizeDisk(_ disk: String, megabytes: Int) async throws { throw CloudError(.notImplemented, "not yet") }
}
