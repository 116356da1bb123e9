import Formats

extension Files {
  /// Replaces the file: written where nobody sees it, synced, put in its place, and the folder synced.
  ///
  /// - Parameters:
  ///   - mode: the file's permissions, whatever the umask is.
  ///   - isDurable: when it need not outlive a power cut, nothing is synced; all processes see the old file or the new
  ///     one all the same.
  public static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, isDurable: Bool = true
  ) throws {
    try written(path, bytes, mode, isDurable).replace()
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
    guard try written(path, bytes, mode, isDurable).create() else { return false }
    if isDurable { try syncFolder(of: path) }
    return true
  }

  /// Copies a file's content; the copy is there when it is whole.
  ///
  /// - Parameter mode: permissions, of which the umask takes its part away.
  public static func copy(_ source: String, to path: String, mode: UInt32 = 0o666) throws {
    let (old, new) = (try OpenFile(reading: source), try NewFile(path, mode: mode))
    try old.forEachPiece { try new.file.write($0) }
    try new.replace()
  }

  private static func written(
    _ path: String, _ bytes: [UInt8], _ mode: UInt32, _ isDurable: Bool
  ) throws -> NewFile {
    let new = try NewFile(path, mode: mode)
    try new.file.write(bytes)
    try new.file.setMode(mode)
    if isDurable { try new.file.sync() }
    return new
  }
}
