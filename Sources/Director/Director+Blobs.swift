import Blobs
import Digests
public import Formats

/// The blobstore, looked into by an operator (`drover blobs`).
extension Director {
  /// The most bytes that an operator may put: as many as an agent.
  static let blobUploadLimit: Int64 = 8 << 30

  /// Every blob with its size, by id.
  public func blobsListing() async throws -> Value {
    var blobs: [Value] = []
    for id in try await engines.blobs.list() {
      // One that was deleted meanwhile is left out.
      guard let size = try await engines.blobs.size(id) else { continue }
      blobs.append(["id": .string(id), "size": .int(Int(size))])
    }
    return .array(blobs)
  }

  /// Bytes in a blob; nil when there is no such blob.
  public func blobSize(_ id: String) async throws -> Int64? { try await engines.blobs.size(id) }

  /// Stores a blob, under a new id unless one is given; one that has this id is left as it is.
  ///
  /// - Returns: its id, size and digests.
  /// - Throws: `conflict` when there is a blob with this id.
  public func storeBlob(_ body: some AsyncSequence<[UInt8], any Error> & Sendable, id: String?) async throws -> Value {
    if let id, try await engines.blobs.exists(id) {
      throw DroverError(.conflict, "storing blob '\(id)': there is one with this id; blobs are not replaced")
    }
    let blob = try await engines.blobs.put(body, id: id, limit: Self.blobUploadLimit)
    var object: ValueObject = ["id": .string(blob.id), "size": .int(Int(blob.size))]
    for piece in blob.digest.pieces { object[piece.name] = .string(piece.hex) }
    return .object(object)
  }
}
