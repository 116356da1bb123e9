import Formats
import Glibc

/// Files that are there whole or not at all, and the folders that they are in. Errors name the path.
///
/// What says that something happened (an exit status, a pid, a supervisor's memory) is written so that it is there
/// whole or not at all, also after a power cut.
public enum Files {
  /// The whole file, which must not be longer than `limit` bytes.
  public static func read(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
    let file = try OpenFile(reading: path)
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let chunk = try file.read(chunkSize)
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
    throw DroverError(.tooLarge, "reading '\(path)': more than \(limit) bytes")
  }

  /// At most `maximum` bytes from `offset` on; fewer at the end of the file, none when there is no file.
  public static func read(_ path: String, offset: Int, maximum: Int) throws -> [UInt8] {
    guard let file = try ifPresent({ try OpenFile(reading: path) }) else { return [] }
    var bytes: [UInt8] = []
    while bytes.count < maximum {
      let chunk = try file.read(min(chunkSize, maximum - bytes.count), at: Int64(offset + bytes.count))
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }

  /// The whole file as text; nil when there is none.
  public static func text(_ path: String) throws -> String? {
    try ifPresent { String(decoding: try read(path), as: UTF8.self) }
  }

  /// The whole file as text; nil when there is none, and when it cannot be read. For hints, and for what the system shows of
  /// itself; where one that cannot be read must not pass for none (state, settings, records), ``text(_:)``.
  public static func textIfPresent(_ path: String) -> String? { try? text(path) }

  /// Bytes in a regular file, following links; nil when there is none.
  public static func size(_ path: String) throws -> Int? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw systemError("looking at '\(path)'")
    }
    return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
  }

  /// Whether there is something; a link counts when what it leads to is there.
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static let chunkSize = 64 << 10

  private static func ifPresent<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
      return try body()
    } catch let error as DroverError where error.code == .notFound {
      return nil
    }
  }
}
