import Digests
import Documents

/// What tasks have decided so far: a document for each decision, so that tasks with many of them at once do not wait for
/// each other's. Kind `task-checkpoint`, named by the task and the decision; gone when the task has ended, since they may
/// hold secrets.
struct TaskCheckpoints: Sendable {
  let store: any DocumentStore
  private static let kind = "task-checkpoint"

  /// The JSON text of a decision; nil when it was not made yet.
  func get(_ task: Int, _ name: String) async throws -> [UInt8]? {
    try await store.get(Self.kind, Self.document(task, name))?.body
  }

  func put(_ task: Int, _ name: String, _ text: [UInt8]) async throws {
    _ = try await store.commit([.put(Self.kind, Self.document(task, name), text)])
  }

  /// Forgets all of a task.
  func forget(_ task: Int) async throws { try await forget(prefix: Self.prefix(task)) { _ in true } }

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
