import Files

/// What is mounted where, from /proc/self/mountinfo.
struct MountTable: Sendable, Hashable {
  struct Mount: Sendable, Hashable {
    /// Where it is mounted.
    let point: String
    /// What of the file system is mounted; not `/` for a bind mount of a folder.
    let root: String
    let device: String
    let type: String
  }

  let mounts: [Mount]

  static func current() -> MountTable { MountTable(Files.textIfPresent("/proc/self/mountinfo") ?? "") }

  static func isMountPoint(_ path: String) -> Bool { current().mounts.contains { $0.point == path } }

  init(_ text: String) {
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
