import Formats

/// `Platform.Linux` of agent.json, as far as this agent does something about it (reference/agent.md 2).
struct LinuxOptions: Sendable, Hashable {
  /// How a disk is found by its hint.
  enum Resolution: String, Sendable, Hashable { case identity = "", virtio, scsi, iscsi }

  /// /tmp and /var/tmp stay as they are.
  var usesDefaultTemporaryFolder = false
  /// The root and ephemeral disks are left alone.
  var skipsDiskSetup = false
  /// `systemd`, or empty for runit.
  var serviceManager = ""
  /// Without an ephemeral disk, its partitions are made on the root disk.
  var partitionsRootDisk = false
  var resolution = Resolution.identity
  /// Persistent disks have a file system of their own and no partitions.
  var usesPreformattedDisks = false
  /// Persistent disks are folders.
  var bindsPersistentDisks = false
  /// A folder with a link for each lun, looked at first; empty for none.
  var lunLinks = ""
  /// A regular expression over the id of a disk, and what it is to become under /dev/disk/by-id.
  var idPattern = ""
  var idReplacement = ""
  /// The stemcell itself guards monit's interface.
  var hasMonitFirewall = false
  /// Of paths: links to volumes of the cloud, which are no instance storage.
  var managedVolumes = ""
  /// Of paths: where instance storage may be.
  var instanceStorage = "/dev/nvme*n1"

  init() {}

  /// - Throws: `DroverError` with code `invalid` for a way of finding disks that is none.
  init(_ object: ValueObject) throws {
    let value = Value.object(object)
    func text(_ name: String) -> String { value.member(name)?.string ?? "" }
    func flag(_ name: String) -> Bool { value.member(name)?.bool ?? false }
    usesDefaultTemporaryFolder = flag("usedefaulttmpdir")
    skipsDiskSetup = flag("skipdisksetup")
    serviceManager = text("servicemanager")
    partitionsRootDisk = flag("createpartitionifnoephemeraldisk")
    usesPreformattedDisks = flag("usepreformattedpersistentdisk")
    bindsPersistentDisks = flag("bindmountpersistentdisk")
    hasMonitFirewall = flag("usemonitiptablesfirewall")
    lunLinks = text("lundevicesymlinkpath")
    idPattern = text("diskidtransformpattern")
    idReplacement = text("diskidtransformreplacement")
    managedVolumes = text("instancestoragemanagedvolumepattern")
    if !text("instancestoragedevicepattern").isEmpty { instanceStorage = text("instancestoragedevicepattern") }
    let kind = text("devicepathresolutiontype")
    guard let resolution = Resolution(rawValue: kind) else {
      throw DroverError(
        .invalid,
        "agent.json: Platform.Linux.DevicePathResolutionType: '\(kind.prefix(60))' is none; expected virtio, scsi, iscsi or nothing"
      )
    }
    self.resolution = resolution
  }
}
