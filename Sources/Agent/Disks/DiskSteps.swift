/// Steps that change partition tables. They are written by sfdisk; the kernel is told by partx, since udev may be slow or
/// missing, and the partition is waited for.
enum DiskSteps {
  /// A new table in the place of whatever the disk holds.
  static func partition(_ device: String, _ script: String, last: String) -> [MachineStep] {
    sfdisk(["--wipe", "always", "--wipe-partitions", "always", device], script) + settle(device, last)
  }

  /// Further partitions behind those that are there. What was there before must not look like their content.
  static func append(_ device: String, _ script: String, last: String) -> [MachineStep] {
    sfdisk(["--append", "--no-reread", "--wipe-partitions", "always", device], script) + settle(device, last)
  }

  /// The partition reaches to the end of the disk.
  static func grow(_ device: String, number: Int) -> [MachineStep] {
    sfdisk(["--no-reread", "-N", "\(number)", device], ",+\n")
      + settle(device, EphemeralDiskPlan.partition(number, of: device))
  }

  private static func sfdisk(_ arguments: [String], _ script: String) -> [MachineStep] {
    [
      .run(
        ["sh", "-c", "table=$1; shift; printf %s \"$table\" | sfdisk --quiet \"$@\"", "sfdisk", script] + arguments,
        mayFail: false)
    ]
  }

  /// Names a partition of a GPT. The kernel need not know.
  static func name(_ device: String, number: Int, _ name: String) -> MachineStep {
    .run(
      ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--part-label", device, "\(number)", name],
      mayFail: false)
  }

  private static func settle(_ device: String, _ last: String) -> [MachineStep] {
    [
      .run(["partx", "-u", device], mayFail: true), .run(["udevadm", "settle"], mayFail: true), .waitFor(last),
    ]
  }

  /// Swap and ext4 on partitions that are blank still: whoever made these may have been killed before.
  static func finish(swap: String?, data: String) -> [MachineStep] {
    // 8 is that several things were found.
    let ifBlank =
      "found=$(blkid -p -o value -s TYPE -s PTTYPE \"$2\"); [ $? = 8 ] || [ -n \"$found\" ] || $1 \"$2\""
    let make = (swap.map { [("mkswap", $0)] } ?? []) + [("mkfs.ext4 -q -F", data)]
    return make.map { .run(["sh", "-c", ifBlank, "blank", $0, $1], mayFail: false) }
  }

  /// A file system of a kind on a blank partition.
  static func format(_ device: String, _ fileSystem: String) -> MachineStep {
    .run(
      fileSystem == "xfs" ? ["mkfs.xfs", "-q", "-f", device] : ["mkfs.ext4", "-q", "-F", device], mayFail: false)
  }
}
