import Files
import Formats
import FoundationEssentials
import GRDB
import Surroundings
import Synchronization

/// Documents in an SQLite database: one file, WAL, `synchronous=FULL`.
///
/// A commit that was acknowledged is on the disk. Commits that come while another one is being synced share the next
/// transaction, and so one sync; a condition that does not hold fails its own commit alone. Watchers are served from
/// memory, and from a table of past changes when they start further back.
///
/// One process owns the file; a second one is refused.
public final class SQLiteDocumentStore: DocumentStore {
  /// How much work was done together.
  public struct Statistics: Sendable, Hashable {
    /// Commits that were asked for and answered, refused ones included.
    public var commits = 0
    /// Transactions, and so syncs, that it took.
    public var transactions = 0
  }

  private let pool: DatabasePool
  private let queue: CommitQueue
  private let feed: ChangeFeed
  /// Held as long as the store is open.
  private let lock: Mutex<LockFile?>

  /// Opens the database at `path`, and makes it when it is not there.
  ///
  /// - Parameter history: how many past changes at least are kept for watchers that start late.
  /// - Throws: `conflict` when another process has it open, `corrupt` when it is no database, `unsupported` when a newer
  ///   version made it.
  public static func open(_ path: String, history: Int = 100_000) async throws -> SQLiteDocumentStore {
    try await open(path, history: history, synchronous: .full)
  }

  /// The same, with a choice that only a test has: what is the sync worth?
  static func open(_ path: String, history: Int, synchronous: SQLiteSchema.Synchronous) async throws
    -> SQLiteDocumentStore
  {
    try await blocking { try SQLiteDocumentStore(path: path, history: history, synchronous: synchronous) }
  }

  private init(path: String, history: Int, synchronous: SQLiteSchema.Synchronous) throws {
    guard let held = try LockFile.tryAcquireForLife(path + ".lock") else {
      throw DroverError(.conflict, "opening the documents in '\(path)': another process has them open; stop it first")
    }
    lock = Mutex(held)
    // Made here so that it, and the files that SQLite makes like it, are nobody else's to read.
    _ = try OpenFile(appending: path, mode: 0o600)
    do {
      pool = try DatabasePool(path: path, configuration: Self.configuration(synchronous))
      try pool.writeWithoutTransaction { database in try SQLiteSchema.prepare(database, synchronous) }
      let last = try pool.read { database in try SQLiteSchema.lastRevision(database) }
      feed = ChangeFeed(last: last, capacity: min(history, 4096))
      queue = CommitQueue(pool: pool, feed: feed, revision: last, history: history)
    } catch {
      throw SQLiteSchema.error("opening the documents in '\(path)'", error)
    }
  }

  private static func configuration(_ synchronous: SQLiteSchema.Synchronous) -> Configuration {
    var configuration = Configuration()
    configuration.label = "drover.documents"
    configuration.maximumReaderCount = 4
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { database in try SQLiteSchema.prepareForCreation(database, synchronous) }
    return configuration
  }

  public func get(_ kind: String, _ name: String) async throws -> Document? {
    try await reading("reading \(kind) '\(name)'") { database in
      let statement = try database.cachedStatement(
        sql: "SELECT body, revision FROM documents WHERE kind = ? AND name = ?")
      guard let row = try Row.fetchOne(statement, arguments: [kind, name]) else { return nil }
      return Document(kind: kind, name: name, body: Array(row[0] as Data), revision: row[1])
    }
  }

  public func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    try await reading("listing \(kind) '\(prefix)…'") { database in
      let statement = try database.cachedStatement(
        sql: "SELECT name, body, revision FROM documents WHERE kind = ? AND name >= ? ORDER BY name")
      let rows = try Row.fetchCursor(statement, arguments: [kind, prefix])
      var found: [Document] = []
      while let row = try rows.next() {
        let name: String = row[0]
        guard name.utf8.starts(with: prefix.utf8) else { break }
        found.append(Document(kind: kind, name: name, body: Array(row[1] as Data), revision: row[2]))
      }
      return DocumentListing(documents: found, revision: try SQLiteSchema.lastRevision(database))
    }
  }

  public func commit(_ writes: [Write]) async throws -> Int64 {
    try DocumentRules.check(writes)
    return try await queue.commit(writes)
  }

  public func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges {
    DocumentChanges(kinds: kinds, start: revision, feed: feed) { [weak self] above in
      guard let self else { return [] }
      return try await self.history(above: above)
    }
  }

  public func revision() async throws -> Int64 { feed.last }

  /// How many transactions were used for how many commits since the store was opened.
  public var statistics: Statistics { queue.statistics }

  public func close() async throws {
    await queue.close()
    feed.close()
    let held = lock.withLock { lock in
      defer { lock = nil }
      return lock
    }
    // Closed before.
    guard let held else { return }
    let pool = pool
    do {
      try await blocking {
        // The last connection to be closed may be one that only reads, which leaves the journal as it is.
        _ = try? pool.writeWithoutTransaction { try Row.fetchAll($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        try pool.close()
      }
    } catch {
      lock.withLock { $0 = held }
      throw error
    }
    held.release()
  }

  /// What SQLite finds wrong with the file; nothing in one that is sound.
  public func damage() async throws -> [String] {
    try await reading("checking the documents") { database in
      try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
    }
  }

  private func history(above revision: Int64) async throws -> [DocumentChange] {
    try await reading("reading changes above revision \(revision)") { database in
      let statement = try database.cachedStatement(
        sql: "SELECT revision, kind, name, body FROM changes WHERE revision > ? ORDER BY revision LIMIT 500")
      let changes = try Row.fetchAll(statement, arguments: [revision]).map { row in
        DocumentChange(kind: row[1], name: row[2], body: (row[3] as Data?).map(Array.init), revision: row[0])
      }
      guard changes.first?.revision == revision + 1 else {
        throw DocumentFault(.forgotten, kind: "", name: "").error("watching documents from revision \(revision)")
      }
      return changes
    }
  }

  private func reading<Result: Sendable>(
    _ doing: @autoclosure () -> String, _ work: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    do {
      return try await pool.read(work)
    } catch {
      throw SQLiteSchema.error(doing(), error)
    }
  }
}
