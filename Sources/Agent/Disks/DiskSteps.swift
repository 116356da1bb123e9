/// Steps that change partition tables. They are written by sfdisk; the kernel is told by partx, since udev may be slow or
/// missing, and the partition is waited for.
enum DiskSteps {
  /// A new table in the place of whatever the disk holds.
  static func partition(_ device: String, _ script: String, last: String) -> [MachineStep] {
    sfdisk([device], script, wipes: true) + settle(device, last)
  }

  /// Further partitions behind those that are there.
  static func append(_ device: String, _ script: String, last: String) -> [MachineStep] {
    sfdisk(["--append", "--no-reread", device], script, wipes: false) + settle(device, last)
  }

  /// The partition reaches to the end of the disk.
  static func grow(_ device: String, number: Int) -> [MachineStep] {
    sfdisk(["--no-reread", "-N", "\(number)", device], ",+\n", wipes: false)
      + settle(device, EphemeralDiskPlan.partition(number, of: device))
  }

  private static func sfdisk(_ arguments: [String], _ script: String, wipes: Bool) -> [MachineStep] {
    let options = wipes ? "--wipe always --wipe-partitions always " : ""
    return [
      .run(
        ["sh", "-c", "table=$1; shift; printf %s \"$table\" | sfdisk --quiet \(options)\"$@\"", "sfdisk", script]
          + arguments, mayFail: false)
    ]
  }

  private static func settle(_ device: String, _ last: String) -> [MachineStep] {
    [
      .run(["partx", "-u", device], mayFail: true), .run(["udevadm", "settle"], mayFail: true), .waitFor(last),
    ]
  }

  /// A file system of a kind on a blank partition.
  static func format(_ device: String, _ fileSystem: String) -> MachineStep {
    .run(
      fileSystem == "xfs" ? ["mkfs.xfs", "-q", "-f", device] : ["mkfs.ext4", "-q", "-F", device], mayFail: false)
  }
}
