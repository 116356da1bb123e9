import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Glibc
import Surroundings
import Synchronization

/// Gathers logs that match into an archive (reference/agent.md 11). Logs that are rotated away or grow meanwhile are no
/// failure: what is there when a file's turn comes is taken.
struct LogCollector: Sendable {
  let layout: VMLayout
  /// Empty for the machine's own root.
  let root: String
  let blobs: AgentBlobs

  private struct Place {
    let folder: String
    /// Where its files are put in the archive.
    let prefix: String
  }

  /// A file that matches.
  private struct Found {
    let path: String
    /// Its name in the archive.
    let name: String
  }

  /// Makes the archive; the caller removes it.
  func collect(_ request: LogRequest) throws -> String { try pack(try find(request)) }

  /// Makes the archive, if it is no longer than the request says.
  ///
  /// - Returns: with the archive in it; nil when it is longer, and when that is to be expected.
  func collectShort(_ request: LogRequest) async throws -> LogResult? {
    try await blocking {
      let found = try find(request)
      var size = 0
      for file in found { size += try Files.size(file.path) ?? 0 }
      // Logs become a tenth, more or less; those that become even less go the long way.
      if size / 16 > request.archiveLimit { return nil }
      if found.isEmpty, let bytes = Self.empty.withLock({ $0 }) { return Self.short(bytes, request) }
      let archive = try pack(found)
      defer { try? Files.remove(archive) }
      guard let result = try Self.short(archive, request) else { return nil }
      if found.isEmpty { Self.empty.withLock { $0 = result.archive } }
      return result
    }
  }

  /// The archive of no files, made once: many errands have none.
  private static let empty = Mutex<[UInt8]?>(nil)

  private func find(_ request: LogRequest) throws -> [Found] {
    let filters = request.filters.isEmpty ? ["**/*"] : request.filters
    let globs = try filters.map { try Glob($0) }
    return try places(request.types).flatMap { place in
      Self.files(below: place.folder, matching: globs, plain: filters).map {
        Found(path: "\(place.folder)/\($0)", name: place.prefix + $0)
      }
    }
  }

  private func pack(_ found: [Found]) throws -> String {
    let staging = try blobs.temporaryFile()
    try Files.makeFolder(staging, mode: 0o700)
    defer { try? Files.remove(staging) }
    for file in found { copy(file.path, to: "\(staging)/\(file.name)") }
    let archive = try blobs.temporaryFile()
    try Archives.pack(staging, to: archive)
    return archive
  }

  /// An archive that was made, if it is no longer than the request says.
  static func short(_ archive: String, _ request: LogRequest) throws -> LogResult? {
    guard let size = try Files.size(archive), size <= request.archiveLimit else { return nil }
    return short(try Files.read(archive), request)
  }

  private static func short(_ bytes: [UInt8], _ request: LogRequest) -> LogResult? {
    guard bytes.count <= request.archiveLimit else { return nil }
    var hasher = DigestHasher([.sha1, .sha512])
    hasher.update(bytes)
    return LogResult(blobstoreID: nil, sha1: hasher.finish().description, archive: bytes)
  }

  private func places(_ types: String) throws -> [Place] {
    try types.split(separator: ",", omittingEmptySubsequences: false).map { type in
      switch type {
      case "job": Place(folder: layout.logs, prefix: "")
      case "agent": Place(folder: layout.agentLog, prefix: "")
      case "system": Place(folder: "\(root)/var/log", prefix: "var/log/")
      default: throw DroverError(.invalid, "Invalid log type")
      }
    }
  }

  private func copy(_ source: String, to target: String) {
    guard let slash = target.lastIndex(of: "/") else { return }
    // A file that has vanished or cannot be read is left out (bosh#2283).
    guard (try? Files.makeFolder(String(target[..<slash]), mode: 0o700)) != nil else { return }
    do {
      try FileCopy.copy(source, to: target, mode: 0o640) { _ in }
    } catch {
      try? Files.remove(target)
    }
  }

  /// The paths, below a folder, of regular files that a pattern matches, or that lie in a folder which one matches.
  static func files(below folder: String, matching globs: [Glob], plain: [String]) -> [String] {
    var found: [String] = []
    func walk(_ relative: String, isTaken: Bool) {
      for name in (try? Files.names(in: relative.isEmpty ? folder : "\(folder)/\(relative)")) ?? [] {
        let path = relative.isEmpty ? name : "\(relative)/\(name)"
        let isMatch = isTaken || globs.contains { $0.matches(path) }
        // Links are followed for files, not for folders, so that the walk ends.
        if (try? Files.isFolder("\(folder)/\(path)")) == true {
          walk(path, isTaken: isTaken || plain.contains(path) || plain.contains(path + "/"))
        } else if isMatch, (try? FileFacts("\(folder)/\(path)"))?.kind == .file {
          found.append(path)
        }
      }
    }
    walk("", isTaken: false)
    return found
  }
}
