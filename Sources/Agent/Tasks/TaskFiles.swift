import Files
import Formats
import Logging
import Processes

/// The records of tasks, one file each, readable by root alone.
struct TaskFiles: Sendable {
  let folder: String
  let logger: Logger

  /// Ids of tasks whose outcome somebody has been told, a line for each.
  private static let collected = "collected"

  /// All records that can be read; a damaged one is removed and said so, since nothing can be done with it.
  func load() throws -> [TaskRecord] {
    try Files.makeFolder(folder, mode: 0o700)
    let told = told()
    var records: [TaskRecord] = []
    for name in try Files.names(in: folder) where name != Self.collected {
      let path = "\(folder)/\(name)"
      guard name.hasSuffix(".json") else {
        try Files.remove(path)
        continue
      }
      do {
        var record = try TaskRecord(JSON.parse(Files.read(path)))
        record.isCollected = record.outcome != nil && told.contains(record.id)
        records.append(record)
      } catch {
        logger.error("a task's record is damaged; removing it", metadata: ["path": "\(path)", "error": "\(error)"])
        try Files.remove(path)
      }
    }
    // Without those that are forgotten.
    if !told.isEmpty { keepCollected(records.filter(\.isCollected).map(\.id)) }
    return records
  }

  /// Writes the record so that it is there after a power cut, if that matters. Returns how many bytes it has.
  @discardableResult
  func save(_ record: TaskRecord, isDurable: Bool = true) throws -> Int {
    let bytes = JSON.bytes(record.value)
    try Files.replace(path(record.id), with: bytes, mode: 0o600, isDurable: isDurable)
    return bytes.count
  }

  /// Notes that somebody has been told the outcome. After a power cut it may be kept a little longer than need be.
  func markCollected(_ id: String) throws {
    try OpenFile(appending: "\(folder)/\(Self.collected)", mode: 0o600).write(Array("\(id)\n".utf8))
  }

  /// Lets go of those of tasks that are forgotten. What cannot be written stays longer, and keeps nobody from going on: a
  /// full disk gets room again by what is forgotten.
  func keepCollected(_ ids: [String]) {
    let lines = ids.map { "\($0)\n" }.joined()
    do {
      try Files.replace("\(folder)/\(Self.collected)", with: Array(lines.utf8), mode: 0o600, isDurable: false)
    } catch {
      logger.warning("cannot write down which outcomes were told", metadata: ["error": "\(error)"])
    }
  }

  /// Those whose outcome was told; none when that cannot be read: then they are kept longer.
  private func told() -> Set<String> {
    do {
      return Set(try Files.text("\(folder)/\(Self.collected)")?.split(separator: "\n").map(String.init) ?? [])
    } catch {
      logger.warning("cannot read which outcomes were told", metadata: ["error": "\(error)"])
      return []
    }
  }

  func read(_ id: String) throws -> TaskRecord { try TaskRecord(JSON.parse(Files.read(path(id)))) }

  func remove(_ id: String) throws { try Files.remove(path(id)) }

  private func path(_ id: String) -> String { "\(folder)/\(id).json" }
}
