import Formats
import Glibc

/// Small files that are whole or absent, whenever the process dies or the power goes.
public enum SmallFile {
  /// Writes a new file beside the path and moves it into place, both synced.
  ///
  /// - Parameter mode: the file's permissions, whatever the umask is.
  public static func write(_ text: String, to path: String, mode: UInt32 = 0o600) throws {
    let temporary = "\(path).new"
    if unlink(temporary) != 0, errno != ENOENT { throw systemError("removing '\(temporary)'") }
    do {
      let file = try OpenFile(creating: temporary, mode: mode)
      if chmod(temporary, mode) != 0 { throw systemError("setting the mode of '\(temporary)'") }
      try file.write(Array(text.utf8))
      try file.sync()
      if rename(temporary, path) != 0 { throw systemError("moving '\(temporary)' to '\(path)'") }
    } catch {
      unlink(temporary)
      throw error
    }
    try FileTree.syncFolder(of: path)
  }

  /// The bytes of a file from an offset on, at most that many; nil when there is no such file.
  public static func read(_ path: String, from offset: Int64 = 0, atMost limit: Int = 64 << 20) throws -> [UInt8]? {
    let file: OpenFile
    do {
      file = try OpenFile(reading: path)
    } catch let error as DroverError where error.code == .notFound {
      return nil
    }
    var bytes: [UInt8] = []
    while bytes.count < limit {
      let chunk = try file.read(min(16 << 10, limit - bytes.count), at: offset + Int64(bytes.count))
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }

  /// The text of a file; nil when there is no such file.
  public static func text(_ path: String) throws -> String? {
    try read(path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// How many bytes a file holds; none when there is no such file.
  public static func size(_ path: String) throws -> Int64 { try FileTree.fileSize(path) ?? 0 }
}
