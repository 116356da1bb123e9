import Blobs
import Digests
import Files
import Formats
import Surroundings

/// A tarball that is not sent, but fetched by the director from an address (reference/director.md A.4).
public struct RemoteFile: Codable, Sendable, Hashable {
  /// An `http` or `https` URL. What stands before an `@` in it is a name and a password.
  let location: String
  /// What the file has to hash to, as text.
  let digest: String?

  /// - Throws: `invalid` when the address or the digest is none.
  public init(location: String, digest: String?) throws {
    let parts = location.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    let host = parts.last?.prefix { $0 != "/" && $0 != "?" && $0 != "#" } ?? ""
    guard parts.count == 2, ["http", "https"].contains(parts[0].lowercased()), !host.isEmpty,
      location.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw DroverError(
        .invalid,
        "location: expected an address that the director can fetch, http://… or https://…, found '\(Self.shown(location))'; a "
          + "file is uploaded by its path")
    }
    if let digest, !digest.isEmpty { _ = try MultiDigest(digest) }
    self.location = location
    self.digest = digest.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Without what may be a name and a password.
  private static func shown(_ text: String) -> Substring { text[(text.lastIndex(of: "@") ?? text.startIndex)...] }

  /// Fetches it into a file, which appears whole and with the right digest, or not at all. One that is there already is
  /// left as it is.
  func fetch(to path: String, _ cancellation: Cancellation, _ surroundings: Surroundings) async throws {
    guard try !Files.exists(path) else { return }
    let (address, headers) = credentials()
    let digest = try digest.map { try MultiDigest($0) }
    let work = Task {
      let transfer = try BlobTransfer(caPEM: nil, surroundings: surroundings)
      do {
        try await transfer.fetch(address, headers: headers, digest: digest, to: path)
      } catch {
        try? await transfer.shutdown()
        throw error
      }
      try await transfer.shutdown()
    }
    do {
      try await withTaskCancellationHandler {
        try await cancellation.whileWatched({ work.cancel() }) { try await work.value }
      } onCancel: {
        work.cancel()
      }
    } catch {
      try cancellation.check()
      throw error
    }
  }

  /// The address without a name and a password, and what says them instead.
  func credentials() -> (address: String, headers: [String: String]) {
    guard let scheme = location.firstRange(of: "://") else { return (location, [:]) }
    let rest = location[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return (location, [:]) }
    let user = PercentText.decoded(authority[..<at], isQuery: false) ?? String(authority[..<at])
    return (
      String(location[..<scheme.upperBound]) + String(rest[rest.index(after: at)...]),
      ["Authorization": "Basic \(Base64.encode(Array(user.utf8)))"]
    )
  }
}
