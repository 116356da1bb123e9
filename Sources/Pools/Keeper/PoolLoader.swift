import Documents
import Surroundings

/// Reads pools from a store at start.
struct PoolLoader {
  let store: any DocumentStore
  let now: Timestamp

  func load(into engine: inout LeaseEngine) async throws {
    if let document = try await store.get(PoolDocuments.server, "time") {
      var (alive, outages) = try PoolDocuments.server(document.body)
      outages.add(from: alive, to: now)
      engine.table.outages = outages
    }
    for document in try await store.list(PoolDocuments.lifeCycle).documents {
      engine.restore(try PoolDocuments.lifeCycle(document.name, document.body, store.seal))
    }
    for document in try await store.list(PoolDocuments.waiter).documents {
      // Whoever waited gets the time again that the server was away.
      let (key, waiter) = try PoolDocuments.waiter(
        document.name, document.body, expiry: now.advanced(by: engine.requestTime))
      engine.restore(key, waiter)
    }
    var shared = SharedTexts()
    let resources = try await store.list(PoolDocuments.resource).documents
    engine.table.reserve(resources.count)
    for document in resources {
      engine.restore(try PoolDocuments.record(document.name, document.body, store.seal, &shared))
    }
  }

  /// What is known of the work of janitors and masons on the resources that are there.
  func works(of engine: LeaseEngine) async throws -> WorkLog {
    var works = WorkLog()
    let accounts = try await store.list(PoolDocuments.work).documents
      .map { ($0.name, try PoolDocuments.account($0.name, $0.body)) }
      .sorted { $0.1.lastAt < $1.1.lastAt }
    for (key, account) in accounts where engine.table[key] != nil { _ = works.put(key, account) }
    return works
  }
}
