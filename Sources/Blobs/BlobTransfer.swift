public import Digests
import Files
import Formats
public import Surroundings

/// Fetches and puts blobs over HTTPS, as an agent does it with signed URLs (`reference/agent.md 16`).
///
///     let transfer = try BlobTransfer(caPEM: settings.ca, surroundings: surroundings)
///     try await transfer.fetch(url, digest: digest, to: "/var/vcap/data/tmp/package.tgz", limit: 4 << 30)
///     let stored = try await transfer.put("/var/vcap/data/tmp/logs.tgz", to: url)
///     try await transfer.shutdown()
public struct BlobTransfer: Sendable {
  let surroundings: Surroundings
  let connection: HTTPConnection

  /// How often a transfer is tried, and how long it pauses in between.
  public static let tries = 3
  public static let pause: Duration = .seconds(5)

  /// - Parameter caPEM: the certificates that servers are checked against, in PEM; nil for those of the system.
  public init(caPEM: String?, surroundings: Surroundings) throws {
    self.surroundings = surroundings
    connection = try HTTPConnection(caPEM: caPEM)
  }

  /// Fetches a blob into a file, which appears whole and with the right digest, or not at all.
  ///
  /// - Throws: `corrupt` when the digest is another one, `tooLarge` beyond the limit, `notFound`, `forbidden` or
  ///   `unavailable` as the server says or does.
  @discardableResult
  public func fetch(
    _ url: String, headers: [String: String] = [:], digest: MultiDigest?, to path: String, mode: UInt32 = 0o600,
    limit: Int64? = nil
  ) async throws -> StoredFile {
    try await retrying("fetching \(Self.shown(url))") {
      let body = try await connection.get(url, headers: headers, limit: limit)
      let written = try await FileSink.write(body, to: path, mode: mode, limit: limit) { try digest?.verify($0.digest) }
      return StoredFile(size: written.size, digest: written.digest)
    }
  }

  /// Puts a file under a URL, and returns its size and digests.
  @discardableResult
  public func put(_ path: String, to url: String, headers: [String: String] = [:]) async throws -> StoredFile {
    try await retrying("putting '\(path)' to \(Self.shown(url))") {
      let file = try await blocking { try OpenFile(reading: path) }
      let size = try file.size()
      let tally = DigestTally()
      let body = HashedBytes(path: path, size: size, tally: tally)
      try await connection.put(url, headers: headers, body: body, size: size)
      return StoredFile(size: size, digest: tally.digest)
    }
  }

  /// Closes connections. To be called once, when no transfer runs.
  public func shutdown() async throws { try await connection.shutdown() }

  /// What was transferred.
  public struct StoredFile: Sendable, Hashable {
    /// Bytes.
    public let size: Int64
    /// SHA-1, SHA-256 and SHA-512.
    public let digest: MultiDigest
  }

  /// A URL as it may be seen in logs and errors: without its query, which may hold a signature, and without a password.
  static func shown(_ url: String) -> String {
    let plain = url.prefix { $0 != "?" }
    let parts = plain.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, let at = parts[2].lastIndex(of: "@") else { return String(plain) }
    let host = parts[2][parts[2].index(after: at)...]
    return (parts[..<2] + [host] + parts[3...]).joined(separator: "/")
  }
}
