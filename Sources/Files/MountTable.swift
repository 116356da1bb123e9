/// What is mounted where, from /proc/PID/mountinfo.
public struct MountTable: Sendable, Hashable {
  public struct Mount: Sendable, Hashable {
    /// Where it is mounted.
    public let point: String
    /// What of the file system is mounted; not `/` for a bind mount of a folder.
    public let root: String
    /// Its device's numbers, `MAJOR:MINOR`.
    public let device: String
    public let type: String

    public init(point: String, root: String, device: String, type: String) {
      self.point = point
      self.root = root
      self.device = device
      self.type = type
    }
  }

  public let mounts: [Mount]

  /// - Parameter process: in whose mount namespace; `self` is this one.
  public static func current(of process: String = "self") -> MountTable {
    MountTable(Files.textIfPresent("/proc/\(process)/mountinfo") ?? "")
  }

  /// Whether something is mounted there, for this process.
  public static func isMountPoint(_ path: String) -> Bool { current().hasMount(path) }

  public func hasMount(_ path: String) -> Bool { mounts.contains { $0.point == path } }

  /// - Parameter text: as the kernel writes it; lines that are none are left out.
  public init(_ text: String) {
    mounts = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count >= 7, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
      return Mount(
        point: Self.plain(fields[4]), root: Self.plain(fields[3]), device: String(fields[2]),
        type: String(fields[dash + 1]))
    }
  }

  /// The kernel writes blanks and backslashes as three octal digits.
  private static func plain(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
