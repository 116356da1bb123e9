import Formats
import Glibc

/// Files that are there whole or not at all, and the folders that they are in. Errors name the path.
///
/// What says that something happened (an exit status, a pid, a supervisor's memory) is written so that it is there
/// whole or not at all, also after a power cut.
public enum Files {
  /// The whole file, which must not be longer than `limit` bytes.
  public static func read(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
    try OpenFile(reading: path).readAll(limit: limit)
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

  /// The whole file, which must not be longer than `limit` bytes; nil when there is none.
  public static func bytes(_ path: String, limit: Int = 64 << 20) throws -> [UInt8]? {
    try ifPresent { try read(path, limit: limit) }
  }

  /// The whole file as text; nil when there is none.
  public static func text(_ path: String, limit: Int = 64 << 20) throws -> String? {
    try bytes(path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The whole file as text; nil when there is none, and when it cannot be read. For hints, and for what the system shows of
  /// itself; where one that cannot be read must not pass for none (state, settings, records), ``text(_:)``.
  public static func textIfPresent(_ path: String) -> String? { try? text(path) }

  /// Bytes in a regular file, following links; nil when there is none.
  public static func size(_ path: String) throws -> Int? {
    try FileFacts(path).flatMap { $0.kind == .file ? $0.size : nil }
  }

  /// Whether there is something; a link counts when what it leads to is there.
  ///
  /// - Throws: when that cannot be found out, which does not say that there is nothing.
  public static func exists(_ path: String) throws -> Bool { try FileFacts(path) != nil }

  /// Whether there is something that can be looked at; what a link leads to, if it is one. For hints, and for what the
  /// system shows of itself; where what cannot be looked at must not pass for missing (state, settings, records),
  /// ``exists(_:)``.
  public static func isVisible(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether there is anything, be it a link that leads nowhere.
  public static func isThere(_ path: String) throws -> Bool { try FileFacts(path, followsLinks: false) != nil }

  /// Whether there is a symbolic link, wherever it leads.
  public static func isLink(_ path: String) throws -> Bool { try FileFacts(path, followsLinks: false)?.kind == .link }

  /// The text of a symbolic link; nil when there is nothing, or something else.
  public static func linkText(_ path: String) throws -> String? {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &text, text.count)
    if count >= 0 { return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) }
    if [EINVAL, ENOENT, ENOTDIR].contains(errno) { return nil }
    throw systemError("reading the link '\(path)'")
  }

  private static let chunkSize = 64 << 10

  /// Nil when there is no such file.
  @discardableResult
  public static func ifPresent<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
      return try body()
    } catch let error as DroverError where error.code == .notFound {
      return nil
    }
  }
}
