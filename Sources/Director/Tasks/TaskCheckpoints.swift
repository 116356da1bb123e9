import Digests
import Documents
import Formats
import FoundationEssentials
import Logging
import Sealing
import Surroundings
import Synchronization

/// What tasks have decided so far: a document for each decision, so that tasks with many of them at once do not wait for
/// each other's. Kind `task-checkpoint`, named by the task and the decision; sealed as a whole, and gone when the task has
/// ended, since they may hold secrets.
final class TaskCheckpoints: Sendable {
  private let store: any DocumentStore
  private let surroundings: Surroundings
  private let logger: Logger
  /// What the tasks that were made by this server have decided, by name: what is not there is not looked for in the store.
  private let decided = Mutex<[Int: Set<String>]>([:])
  private static let kind = "task-checkpoint"

  init(store: any DocumentStore, surroundings: Surroundings, logger: Logger) {
    self.store = store
    self.surroundings = surroundings
    self.logger = logger
  }

  /// A task has been made that has decided nothing.
  func begin(_ task: Int) { decided.withLock { $0[task] = [] } }

  /// A decision; nil when it was not made yet.
  func known<Result: Codable & Sendable>(_ task: Int, _ name: String, as type: Result.Type) async throws -> Result? {
    guard decided.withLock({ $0[task]?.contains(name) }) ?? true else { return nil }
    let document = Self.document(task, name)
    guard let body = try await store.get(Self.kind, document)?.body else { return nil }
    return try JSONDecoder().decode(type, from: Data(try opened(body, document)))
  }

  /// A sealed text, as JSON; in clear without keys.
  private func sealed(_ body: [UInt8], _ document: String) throws -> [UInt8] {
    guard let keys = store.seal else { return body }
    return Array("\"\(try keys.seal(body, at: SealPlace(kind: Self.kind, name: document)))\"".utf8)
  }

  private func opened(_ body: [UInt8], _ document: String) throws -> [UInt8] {
    guard let keys = store.seal else { return body }
    let text = String(decoding: body.dropFirst().dropLast(), as: UTF8.self)
    // In clear it was written before there were keys.
    guard SealKeys.isSealed(text) else { return body }
    return try keys.open(text, at: SealPlace(kind: Self.kind, name: document))
  }

  /// Decides, once in the life of the task.
  func once<Result: Codable & Sendable>(
    _ task: Int, _ name: String, _ compute: @Sendable () async throws -> Result
  ) async throws -> Result {
    if let result = try await known(task, name, as: Result.self) { return result }
    let result = try await compute()
    let document = Self.document(task, name)
    let text = try sealed(Array(try JSONEncoder().encode(result)), document)
    // What has been done must be on record, or it would be done again; a disk that is full has room again some day.
    // Before it is recorded: whoever is interrupted meanwhile does not know whether it was.
    decided.withLock { _ = $0[task]?.insert(name) }
    var pause = Duration.milliseconds(50)
    while true {
      do {
        _ = try await store.commit([.put(Self.kind, document, text)])
        return result
      } catch let error as DroverError where error.code == .failed {
        logger.error("a step of a task cannot be recorded", metadata: ["task": "\(task)", "error": "\(error)"])
        try await surroundings.sleep(pause)
        pause = min(pause * 2, .seconds(2))
      }
    }
  }

  /// Forgets all of a task.
  func forget(_ task: Int) async throws {
    decided.withLock { _ = $0.removeValue(forKey: task) }
    try await forget(prefix: Self.prefix(task)) { _ in true }
  }

  /// Forgets those of all tasks but these.
  func forget(but tasks: Set<Int>) async throws {
    let kept = Set(tasks.map(TaskRecord.documentName))
    try await forget(prefix: "") { name in !kept.contains(String(name.prefix { $0 != " " })) }
  }

  private func forget(prefix: String, where isWanted: (String) -> Bool) async throws {
    let writes = try await store.list(Self.kind, prefix: prefix).documents.filter { isWanted($0.name) }.map {
      Write.delete(Self.kind, $0.name)
    }
    if !writes.isEmpty { _ = try await store.commit(writes) }
  }

  private static func prefix(_ task: Int) -> String { "\(TaskRecord.documentName(task)) " }

  /// Names of decisions have what deployments call their things in them, which is not always good for a document's name.
  private static func document(_ task: Int, _ name: String) -> String {
    let isGood = name.utf8.count <= 900 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    return prefix(task) + (isGood ? name : "sha256:" + DigestHasher.hex(.sha256, name))
  }
}
