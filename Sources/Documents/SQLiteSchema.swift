import Formats
import GRDB

/// The tables of the SQLite driver.
enum SQLiteSchema {
  /// Raised when a table changes; kept in the database's `user_version`.
  static let version = 1

  /// SQLite's setting of the same name.
  enum Synchronous: Int {
    case off = 0
    case full = 2
  }

  /// Prepares a connection for the change to WAL that comes next.
  ///
  /// A new database is made with a rollback journal. With less than EXTRA the journal's removal is not synced: it could be
  /// there again after a loss of power, and roll the new database back to nothing, with everything that was committed to
  /// it since.
  static func prepareForCreation(_ database: Database, _ wanted: Synchronous) throws {
    try database.execute(sql: "PRAGMA synchronous = \(wanted == .full ? "EXTRA" : "OFF")")
  }

  /// Makes the connection durable and the tables, if need be.
  static func prepare(_ database: Database, _ wanted: Synchronous) throws {
    // GRDB opens a pool with NORMAL, which may lose the latest commits with the power.
    try database.execute(sql: "PRAGMA synchronous = \(wanted.rawValue)")
    // What was in a document is overwritten with zeros where it was, however this SQLite was compiled.
    _ = try Int.fetchOne(database, sql: "PRAGMA secure_delete = ON")
    try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
    // 32 MiB: pages that are written again and again go from the journal to the database once for all of that.
    try database.execute(sql: "PRAGMA wal_autocheckpoint = 8192")
    let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode")
    let synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
    guard mode == "wal", synchronous == wanted.rawValue else {
      throw DroverError(
        .failed,
        "SQLite does not do journal_mode=WAL and synchronous=\(wanted.rawValue) (found \(mode ?? "none") and "
          + "\(synchronous ?? -1))")
    }
    let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard found <= version else {
      throw DroverError(
        .unsupported, "its format is \(found), this version of Drover knows those up to \(version); use a newer one")
    }
    guard found < version else { return }
    try database.inTransaction(.immediate) {
      try database.execute(
        sql: """
          CREATE TABLE documents (
            kind TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, body BLOB NOT NULL,
            UNIQUE (kind, name));
          CREATE TABLE changes (
            revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, body BLOB);
          PRAGMA user_version = \(version);
          """)
      return .commit
    }
  }

  /// The revision of the last change; trimming the history never removes it.
  static func lastRevision(_ database: Database) throws -> Int64 {
    try Int64.fetchOne(try database.cachedStatement(sql: "SELECT max(revision) FROM changes")) ?? 0
  }

  /// What GRDB threw, as one of ours.
  static func error(_ doing: String, _ error: any Error) -> any Error {
    if error is CancellationError { return error }
    if let error = error as? DroverError {
      return error.documentFault == nil ? DroverError(error.code, doing, cause: error) : error
    }
    guard let database = error as? DatabaseError else { return DroverError(.failed, doing, cause: error) }
    switch database.resultCode {
    case .SQLITE_FULL: return DroverError(.failed, "\(doing): the disk is full; free some space and try again")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return DroverError(.corrupt, "\(doing): the database is damaged; restore it from a backup", cause: error)
    case .SQLITE_MISUSE: return DroverError(.unavailable, "\(doing): the store is closed")
    default: return DroverError(.failed, doing, cause: error)
    }
  }
}
