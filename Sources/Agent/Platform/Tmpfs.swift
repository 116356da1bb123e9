import Files
import Formats
import Glibc

/// File systems in memory.
enum Tmpfs {
  static let mounter: SettingsFolders.MountTmpfs = { try mount($0, size: $1, mode: $2) }

  /// - Parameter size: as the kernel reads it, such as `16m`.
  static func mount(_ folder: String, size: String, mode: UInt32) throws {
    guard !size.isEmpty, size.utf8.allSatisfy({ $0 != UInt8(ascii: ",") && $0 > 0x20 && $0 < 0x7F }) else {
      throw DroverError(
        .invalid, "mounting a tmpfs on \(folder): '\(size.prefix(40))' is no size; expected one such as 16m")
    }
    try Files.makeFolder(folder)
    let options = "size=\(size),mode=\(String(mode, radix: 8))"
    guard Glibc.mount("tmpfs", folder, "tmpfs", UInt(MS_NODEV | MS_NOSUID), options) == 0 else {
      throw systemError("mounting a tmpfs on \(folder)")
    }
  }
}
