import AgentProtocol
import Blobs
import Digests
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Blobs as the agent gets and puts them: its own two folders first, then the blobstore of its settings, or a signed URL
/// (reference/agent.md 16). What it hands out is always verified.
struct AgentBlobs: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let settings: SettingsStore
  let surroundings: Surroundings

  /// Where a blob is: an id, or a signed URL with its headers.
  struct Source: Sendable, Hashable {
    var blobstoreID = ""
    var signedURL = ""
    var headers: [String: String] = [:]
  }

  /// Copies a blob to a new temporary file; the caller removes it.
  ///
  /// - Parameter digest: a multi-digest; empty is refused.
  func fetch(_ source: Source, digest text: String) async throws -> String {
    let digest = try MultiDigest(text)
    let path = try temporaryFile()
    do {
      if !source.signedURL.isEmpty {
        try await transfer { try await $0.fetch(source.signedURL, headers: source.headers, digest: digest, to: path) }
      } else {
        try await fetch(id: source.blobstoreID, digest, to: path)
      }
      return path
    } catch {
      try? Files.remove(path)
      throw error
    }
  }

  private func fetch(id: String, _ digest: MultiDigest, to path: String) async throws {
    let name = try SafeName.component(id, "blob id")
    for folder in [layout.sensitiveBlobs, layout.blobs] where try FileFacts("\(folder)/\(name)")?.kind == .file {
      return try await blocking { try FileCopy.copy("\(folder)/\(name)", to: path, verifying: digest) }
    }
    switch try await provider() {
    case .local(let folder):
      guard try FileFacts("\(folder)/\(name)")?.kind == .file else {
        throw DroverError(.notFound, "the blobstore in \(folder) has no blob '\(name)'")
      }
      try await blocking { try FileCopy.copy("\(folder)/\(name)", to: path, verifying: digest) }
    case .dav(let dav):
      try await transfer { try await $0.fetch(dav.url(name), headers: dav.headers, digest: digest, to: path) }
    case .external(let store): try await store.get(name, digest, to: path)
    }
  }

  /// Puts a file into the blobstore under a new id.
  ///
  /// - Returns: the id and the SHA-1, as the Go agent answers.
  func create(_ path: String) async throws -> (id: String, sha1: String) {
    let id = surroundings.identifier()
    switch try await provider() {
    case .local(let folder):
      try Files.makeFolder(folder)
      let digest = try await blocking { try FileCopy.copy(path, to: "\(folder)/\(id)", mode: 0o640) }
      return (id, try Self.piece(digest, .sha1))
    case .dav(let dav):
      let digest = try await transfer { try await $0.put(path, to: dav.url(id), headers: dav.headers).digest }
      return (id, try Self.piece(digest, .sha1))
    case .external(let store):
      try await store.put(path, id)
      let digest = try await blocking {
        var hasher = DigestHasher([.sha1])
        try FileCopy.read(path) { hasher.update($0) }
        return hasher.finish()
      }
      return (id, try Self.piece(digest, .sha1))
    }
  }

  /// Puts a file to a signed URL.
  ///
  /// - Returns: `SHA1;sha512:HEX`.
  func put(_ path: String, to url: String, headers: [String: String]) async throws -> String {
    let digest = try await transfer { try await $0.put(path, to: url, headers: headers).digest }
    return MultiDigest(pieces: digest.pieces.filter { $0.algorithm != .sha256 }).description
  }

  /// Keeps a blob that came in a message: 0640, in a folder that only root and vcap may enter.
  func keepSensitive(_ id: String, _ bytes: [UInt8]) throws {
    let name = try SafeName.component(id, "blob id")
    try ownership.folderIfMissing(layout.sensitiveBlobs, 0o700)
    try ownership.file("\(layout.sensitiveBlobs)/\(name)", bytes, 0o640, vcap: true)
  }

  /// Removes a blob from the agent's own two folders.
  func forget(_ id: String) throws {
    guard !id.isEmpty else { return }
    let name = try SafeName.component(id, "blob id")
    for folder in [layout.sensitiveBlobs, layout.blobs] { try Files.remove("\(folder)/\(name)") }
  }

  /// A name for a new file that nobody else uses; the file is not there yet.
  func temporaryFile() throws -> String {
    try Files.makeFolder(layout.temporary, mode: 0o755)
    return "\(layout.temporary)/drover-\(surroundings.identifier())"
  }

  /// Whether the blobstore of the settings can be used at all; asks no server.
  ///
  /// - Throws: what is wrong with the settings, or which program is missing.
  func check() async throws {
    guard await settings.current.blobstore != nil else { return }
    if case .external(let store) = try await provider() { _ = try store.program() }
  }

  private func provider() async throws -> BlobProvider {
    try BlobProvider(await settings.current.blobstore, layout: layout)
  }

  @discardableResult
  private func transfer<Result: Sendable>(_ body: (BlobTransfer) async throws -> Result) async throws -> Result {
    let transfer = try BlobTransfer(caPEM: await settings.current.blobstore?.ca, surroundings: surroundings)
    do {
      let result = try await body(transfer)
      try await transfer.shutdown()
      return result
    } catch {
      try? await transfer.shutdown()
      throw error
    }
  }

  private static func piece(_ digest: MultiDigest, _ algorithm: DigestAlgorithm) throws -> String {
    guard let piece = digest.pieces.first(where: { $0.algorithm == algorithm }) else {
      throw DroverError(.failed, "no \(algorithm.rawValue) digest was computed")
    }
    return piece.description
  }
}
