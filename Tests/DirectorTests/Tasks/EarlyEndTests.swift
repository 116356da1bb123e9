import Documents
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Director

/// Something that happens right after a task has been recorded, before the board has begun with it.
private final class HookedStore: DocumentStore {
  private let inner = MemoryDocumentStore()
  private let hook = Mutex<(@Sendable () async throws -> Void)?>(nil)

  func onFirstTask(_ body: @escaping @Sendable () async throws -> Void) { hook.withLock { $0 = body } }

  func commit(_ writes: [Write]) async throws -> Int64 {
    let revision = try await inner.commit(writes)
    if try await inner.list("task", prefix: "").documents.isEmpty { return revision }
    let body = hook.withLock { hook in
      defer { hook = nil }
      return hook
    }
    try await body?()
    return revision
  }

  func get(_ kind: String, _ name: String) async throws -> Document? { try await inner.get(kind, name) }
  func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    try await inner.list(kind, prefix: prefix)
  }
  func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges { inner.watch(kinds, from: revision) }
  func revision() async throws -> Int64 { try await inner.revision() }
  func close() async throws { try await inner.close() }
}

@Suite struct EarlyEndTests {
  @Test("A task that is ended when it has been recorded, and before it is begun with, does nothing")
  func early() async throws {
    let store = HookedStore()
    let board = TaskBoard(
      store: store, journals: MemoryJournals(), surroundings: .system, logger: KeptLog().logger)
    await board.register("checks") { context in
      try context.cancellation.check()
      return "done"
    }
    store.onFirstTask { try await board.cancel(1) }
    let id = try await board.start(
      TaskBoard.Order(type: "checks", description: "checks", user: "test", request: [String: String]()))
    #expect(id == 1)
    #expect(try await board.wait(for: id).state == .cancelled)
  }
}
