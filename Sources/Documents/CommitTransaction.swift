import FoundationEssentials
import GRDB

/// The commits that one transaction does, one after the other, each seeing those before it.
struct CommitTransaction {
  let database: Database
  /// The revision of the last change so far.
  var revision: Int64
  /// What changed so far.
  var changes: [DocumentChange] = []

  init(database: Database, revision: Int64) {
    self.database = database
    self.revision = revision
  }

  /// Does one commit, unless a condition does not hold: then it changes nothing and that is its outcome.
  ///
  /// Throws only what the medium threw, which fails the whole transaction.
  mutating func apply(_ writes: [Write]) throws -> Result<Int64, any Error> {
    var effects: [(Write, Write.Effect)] = []
    for write in writes {
      // What is put needs no look at what was there.
      if case .put(let body) = write.action {
        effects.append((write, .set(body)))
        continue
      }
      let current = try current(write)
      do {
        effects.append((write, try write.effect(on: current)))
      } catch {
        return .failure(error.error("committing \(writes.count == 1 ? "a document" : "\(writes.count) documents")"))
      }
    }
    for (write, effect) in effects {
      switch effect {
      case .nothing: break
      case .set(let body): try change(write, body)
      case .remove: try change(write, nil)
      }
    }
    return .success(revision)
  }

  /// Writes down the latest changes, at most so many, and now and then forgets those that lie further back.
  func record(keeping count: Int64) throws {
    for change in changes.suffix(Int(max(1, count))) {
      try database.cachedStatement(sql: "INSERT INTO changes (revision, kind, name, body) VALUES (?, ?, ?, ?)")
        .execute(arguments: [change.revision, change.kind, change.name, change.body.map { Data($0) }])
    }
    let interval = max(1, min(1000, count))
    guard let first = changes.first, (first.revision - 1) / interval != revision / interval else { return }
    let statement = try database.cachedStatement(sql: "DELETE FROM changes WHERE revision <= ?")
    try statement.execute(arguments: [revision - max(1, count)])
  }

  private func current(_ write: Write) throws -> Int64? {
    let statement = try database.cachedStatement(sql: "SELECT revision FROM documents WHERE kind = ? AND name = ?")
    return try Int64.fetchOne(statement, arguments: [write.kind, write.name])
  }

  private mutating func change(_ write: Write, _ body: [UInt8]?) throws {
    revision += 1
    if let body {
      try database.cachedStatement(
        sql: """
          INSERT INTO documents (kind, name, revision, body) VALUES (?, ?, ?, ?)
          ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, body = excluded.body
          """
      ).execute(arguments: [write.kind, write.name, revision, Data(body)])
    } else {
      try database.cachedStatement(sql: "DELETE FROM documents WHERE kind = ? AND name = ?")
        .execute(arguments: [write.kind, write.name])
    }
    changes.append(DocumentChange(kind: write.kind, name: write.name, body: body, revision: revision))
  }
}
