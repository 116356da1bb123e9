import Files
import Formats
import Logging
import Processes

/// The records of tasks, one file each, readable by root alone.
struct TaskFiles: Sendable {
  let folder: String
  let logger: Logger

  /// All records that can be read; a damaged one is removed and said so, since nothing can be done with it.
  func load() throws -> [TaskRecord] {
    try Files.makeFolder(folder, mode: 0o700)
    return try Files.names(in: folder).compactMap { name in
      let path = "\(folder)/\(name)"
      guard name.hasSuffix(".json") else {
        try Files.remove(path)
        return nil
      }
      do {
        return try TaskRecord(JSON.parse(Files.read(path)))
      } catch {
        logger.error("a task's record is damaged; removing it", metadata: ["path": "\(path)", "error": "\(error)"])
        try Files.remove(path)
        return nil
      }
    }
  }

  /// Writes the record so that it is there after a power cut, if that matters.
  func save(_ record: TaskRecord, isDurable: Bool = true) throws {
    try Files.replace(path(record.id), with: JSON.bytes(record.value), mode: 0o600, isDurable: isDurable)
  }

  /// Notes that somebody has been told the outcome. Who asks again after a power cut is told again.
  func markCollected(_ id: String) throws {
    var record = try read(id)
    record.isCollected = true
    try Files.replace(path(id), with: JSON.bytes(record.value), mode: 0o600, isDurable: false)
  }

  func read(_ id: String) throws -> TaskRecord { try TaskRecord(JSON.parse(Files.read(path(id)))) }

  func remove(_ id: String) throws { try Files.remove(path(id)) }

  private func path(_ id: String) -> String { "\(folder)/\(id).json" }
}
