import Files
import Testing

@Suite struct MountTableTests {
  @Test("mount points with blanks are read as they are")
  func blanks() {
    let table = MountTable(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\nbroken line\n")
    #expect(table.mounts == [.init(point: "/mnt 2", root: "/mnt1", device: "98:0", type: "ext3")])
    #expect(table.hasMount("/mnt 2") && !table.hasMount("/mnt"))
  }

  @Test("the kernel's own is read")
  func own() {
    #expect(MountTable.isMountPoint("/proc") && !MountTable.isMountPoint("/proc/self"))
    #expect(MountTable.current(of: "0").mounts.isEmpty)
  }
}
