import Formats
import Glibc

extension Files {
  /// Replaces the file: written beside it, synced, renamed, and the folder synced.
  ///
  /// - Parameters:
  ///   - mode: the file's permissions, whatever the umask is.
  ///   - isDurable: when it need not outlive a power cut, nothing is synced; all processes see the old file or the new
  ///     one all the same.
  public static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, isDurable: Bool = true
  ) throws {
    let temporary = temporary(beside: path)
    do {
      try writeNew(temporary, bytes, mode, isDurable)
      guard rename(temporary, path) == 0 else { throw systemError("replacing '\(path)'") }
    } catch {
      unlink(temporary)
      throw error
    }
    if isDurable { try syncFolder(of: path) }
  }

  /// Replaces the file by one with this text.
  public static func replace(
    _ path: String, with text: String, mode: UInt32 = 0o600, isDurable: Bool = true
  ) throws {
    try replace(path, with: Array(text.utf8), mode: mode, isDurable: isDurable)
  }

  /// Writes the file unless there is one; never leaves half a file. Returns whether it was this call that made it.
  public static func create(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, isDurable: Bool = true
  ) throws -> Bool {
    let temporary = temporary(beside: path)
    defer { unlink(temporary) }
    try writeNew(temporary, bytes, mode, isDurable)
    if link(temporary, path) != 0 {
      if errno == EEXIST { return false }
      throw systemError("creating '\(path)'")
    }
    if isDurable { try syncFolder(of: path) }
    return true
  }

  /// A path where nobody else writes, on the same file system. By chance and not by a count, since what was left there by
  /// a process that died may have had the same pid.
  public static func temporary(beside path: String) -> String {
    "\(path).new.\(getpid()).\(UInt32.random(in: .min ... .max))"
  }

  private static func writeNew(_ path: String, _ bytes: [UInt8], _ mode: UInt32, _ isDurable: Bool) throws {
    let file = try OpenFile(creating: path, mode: mode)
    try file.write(bytes)
    if fchmod(file.descriptor, mode) != 0 { throw systemError("setting the mode of '\(path)'") }
    if isDurable { try file.sync() }
  }
}
