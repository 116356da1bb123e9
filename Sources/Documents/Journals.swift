import Formats

/// Append-only logs by name: what a task printed, the events of a server.
///
/// A name is a path of parts, `tasks/12/event`. A record is appended whole or not at all. What was appended survives the
/// end of the process however it ends (it is in the kernel's hands when ``append(_:_:)`` returns); ``sync(_:)`` makes it
/// survive a loss of power. Nothing ever reads a whole journal into memory.
public protocol Journals: Sendable {
  /// Appends a record, or several; makes the journal when it is not there. Returns the new size in bytes.
  @discardableResult
  func append(_ name: String, _ bytes: [UInt8]) async throws -> Int64

  /// Up to `limit` bytes from `offset` on; fewer at the end, none beyond it or when there is no such journal.
  func read(_ name: String, from offset: Int64, limit: Int) async throws -> [UInt8]

  /// Bytes in it; nil when there is no such journal.
  func size(_ name: String) async throws -> Int64?

  /// Waits until the journal is larger than `size`, or is removed, and returns its size. A waiting reader costs one
  /// suspended task, so there may be thousands.
  func wait(_ name: String, beyond size: Int64) async throws -> Int64

  /// Returns when everything that was appended would survive a loss of power.
  func sync(_ name: String) async throws

  /// Cuts what follows the last line feed: a record that a crash may have left half written. For journals whose records
  /// are lines, before going on with them after a restart.
  func mend(_ name: String) async throws

  /// Names of the journals that lie under `path`, `tasks/12`, in byte order.
  func list(under path: String) async throws -> [String]

  /// Removes this journal, or all that lie under this name. It may be gone already.
  func remove(_ name: String) async throws
}

/// The rules of journals' names.
enum JournalName {
  /// The name's parts; throws `invalid` for one that could leave its place.
  static func parts(_ name: String) throws -> [String] {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let allowed = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.count <= 200 && !part.hasPrefix(".")
        && part.utf8.allSatisfy { byte in
          (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == 0x2D || byte == 0x2E || byte == 0x5F
        }
    }
    guard allowed, parts.count <= 8 else {
      throw DroverError(
        .invalid,
        "'\(name)' cannot be a journal's name: up to 8 parts of letters, digits, '-', '_' and '.' are allowed, "
          + "joined by '/', none beginning with '.'")
    }
    return parts
  }
}
