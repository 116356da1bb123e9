import Formats
public import Sealing
public import Surroundings

/// A store whose collections seal what is secret in their documents before it comes to the driver.
///
/// The driver, its files, and copies of them have sealed texts only. Which fields are secret is said where a collection is
/// made (``SealedField``).
public struct SealedDocumentStore: DocumentStore {
  private let store: any DocumentStore
  public let seal: SealKeys?

  public init(_ store: any DocumentStore, _ keys: SealKeys) {
    self.store = store
    seal = keys
  }

  /// The store with the keys of a file. The first server that opens a new store makes the file, and the store keeps the id
  /// of the key: from then on no key is made up for it again.
  ///
  /// - Throws: `notFound` when the file is not there and the store is sealed already, `forbidden` when it has other keys;
  ///   nothing is changed then.
  public static func open(
    _ store: any DocumentStore, keyFile path: String, _ surroundings: Surroundings
  ) async throws -> SealedDocumentStore {
    let seals = DocumentCollection<StoreSeal>(store, kind: StoreSeal.kind)
    let known = try await seals.get(StoreSeal.name)
    guard let keys = try await blocking({ try SealKeyFile.read(path) }) else {
      if let known { throw SealKeyFile.missing(path, known.body.key) }
      guard let key = SealKey(surroundings.randomBytes(SealKey.size)) else {
        throw DroverError(.failed, "making the key in \(path): no random bytes were to be had")
      }
      try await blocking { try SealKeyFile.create(path, key) }
      // Whoever was faster has made the key.
      return try await open(store, keyFile: path, surroundings)
    }
    if let known {
      guard keys.contains(known.body.key) else { throw SealKeyFile.wrong(keys, known.body.key) }
      if known.body.key != keys.current.id {
        try await seals.replace(StoreSeal.name, StoreSeal(key: keys.current.id), atRevision: known.revision)
      }
    } else {
      do {
        try await seals.create(StoreSeal.name, StoreSeal(key: keys.current.id))
      } catch  where error.isDocumentExists {
        // Another server has begun with the store at the same time: with the same key, or this one stops here.
        return try await open(store, keyFile: path, surroundings)
      }
    }
    return SealedDocumentStore(store, keys)
  }

  static func noKeys(_ place: SealPlace) -> DroverError {
    DroverError(.forbidden, "opening \(place): it is sealed, and this program was given no keys")
  }

  public func get(_ kind: String, _ name: String) async throws -> Document? { try await store.get(kind, name) }
  public func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    try await store.list(kind, prefix: prefix)
  }
  public func commit(_ writes: [Write]) async throws -> Int64 { try await store.commit(writes) }
  public func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges {
    store.watch(kinds, from: revision)
  }
  public func revision() async throws -> Int64 { try await store.revision() }
  public func close() async throws { try await store.close() }
}

/// The key that a store is sealed with. Kind `seal`, named `key`: never sealed itself.
struct StoreSeal: Codable, Sendable {
  static let kind = "seal"
  static let name = "key"
  var key: String
}
