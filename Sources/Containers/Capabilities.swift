/// The capabilities of Linux: names and sets of them as the kernel writes them.
public enum Capabilities {
  /// By number, as in <linux/capability.h> up to Linux 6.1.
  public static let names = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
  ]

  /// The names in a mask.
  public static func names(in mask: UInt64) -> [String] {
    names.enumerated().filter { mask >> UInt64($0.offset) & 1 == 1 }.map(\.element)
  }

  /// The bounding set in the text of `/proc/PID/status`, or nil when it is not there. Some hosts lack CAP_SYS_RESOURCE
  /// and others in it, and runc fails for whoever asks for more than there is.
  public static func boundingSet(inStatus text: String) -> [String]? { set("CapBnd:", text) }

  /// What the process of that text can do, or nil when it is not there.
  public static func effectiveSet(inStatus text: String) -> [String]? { set("CapEff:", text) }

  private static func set(_ name: String, _ text: String) -> [String]? {
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      let digits = line.dropFirst(name.count).filter { !$0.isWhitespace }
      return UInt64(digits, radix: 16).map(names(in:))
    }
    return nil
  }
}
