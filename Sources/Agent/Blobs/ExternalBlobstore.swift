import Digests
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// A blobstore with a program of its own on the stemcell: `bosh-blobstore-PROVIDER -c CONFIG get ID FILE`, `put FILE ID`,
/// `exists ID` (reference/agent.md 16). Its configuration is the settings' options as they are, for root alone.
struct ExternalBlobstore: Sendable, Hashable {
  let provider: String
  let options: ValueObject
  let layout: VMLayout

  static let tries = 3
  /// With which `exists` ends when there is no such blob.
  static let absent = 3

  var name: String { "bosh-blobstore-\(provider)" }
  var configuration: String { "\(layout.etc)/blobstore-\(provider).json" }

  /// Fetches a blob to a file and verifies it. Bytes may be damaged on the way, so that is tried again, too.
  func get(_ id: String, _ digest: MultiDigest, to path: String) async throws {
    do {
      try await retrying {
        // There before the program is, so that nobody else may read it.
        try Files.replace(path, with: [], mode: 0o600)
        try await run("get", id, path)
        try await blocking {
          var hasher = digest.hasher()
          try FileCopy.read(path) { hasher.update($0) }
          try digest.verify(hasher.finish())
        }
      }
    } catch {
      if try await exists(id) == false {
        throw DroverError(.notFound, "the \(provider) blobstore has no blob '\(id)'", cause: error)
      }
      throw error
    }
  }

  func put(_ path: String, _ id: String) async throws { try await retrying { try await run("put", path, id) } }

  /// Nil when the program cannot say.
  func exists(_ id: String) async throws -> Bool? {
    switch try await command("exists", id).result().ending {
    case .exited(0): true
    case .exited(Self.absent): false
    default: nil
    }
  }

  /// Where the program is.
  ///
  /// - Throws: `notFound` with what to do about it.
  func program() throws -> String {
    let path = Environment.current()["PATH"] ?? ""
    let folders = ["\(layout.bosh)/bin"] + path.split(separator: ":").map(String.init)
    guard let folder = folders.first(where: { access("\($0)/\(name)", X_OK) == 0 }) else {
      throw DroverError(
        .notFound,
        "blobstore provider '\(provider)' needs the program \(name), which is neither in \(layout.bosh)/bin nor in PATH; "
          + "put it on the stemcell, or use dav, local or signed URLs")
    }
    return "\(folder)/\(name)"
  }

  /// The program's call, its configuration written.
  private func command(_ arguments: String...) async throws -> Command {
    let program = try program()
    let content = JSON.bytes(.object(options))
    if (try? Files.read(configuration)) != content {
      try Files.makeFolder(layout.etc)
      try Files.replace(configuration, with: content, mode: 0o600)
    }
    return Command([program, "-c", configuration] + arguments)
  }

  private func run(_ verb: String, _ first: String, _ second: String) async throws {
    do {
      try await command(verb, first, second).run()
    } catch let error as DroverError where error.code != .notFound {
      throw DroverError(.unavailable, "using the \(provider) blobstore", cause: error)
    }
  }

  private func retrying(_ body: () async throws -> Void) async throws {
    for _ in 1..<Self.tries {
      do {
        return try await body()
      } catch let error as DroverError where [.unavailable, .corrupt].contains(error.code) {}
    }
    try await body()
  }
}
