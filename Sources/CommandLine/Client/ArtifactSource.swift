import Formats
import ReleaseFiles
import Releases

/// Where a release or stemcell tarball is: in a file that is sent, or at an address that the server fetches it from.
enum ArtifactSource: Hashable {
  case file(String)
  case address(String)

  /// - Parameter text: a path, `file://PATH`, or a URL.
  init(_ text: String) throws {
    guard let scheme = text.firstRange(of: "://") else {
      self = .file(absolutePath(text))
      return
    }
    switch text[..<scheme.lowerBound].lowercased() {
    case "file": self = .file(absolutePath(String(text[scheme.upperBound...])))
    case "http", "https": self = .address(text)
    default:
      throw DroverError(
        .unsupported, "'\(text)': expected a path, or an address of http:// or https:// that the server can fetch")
    }
  }

  /// What is said in a tarball, which is looked into before it is sent; nil of an address.
  func manifest<Manifest>(_ kind: String, _ read: (String) throws -> Manifest) throws -> Manifest? {
    guard case .file(let path) = self else { return nil }
    do {
      return try read(path)
    } catch let error as DroverError where error.code != .notFound {
      throw DroverError(error.code, "reading it as a \(kind) tarball", cause: error)
    }
  }

  /// - Parameter digest: what the server is to check.
  func body(digest: String?) -> DirectorClient.Body {
    switch self {
    case .file(let path): return .file(path, type: "application/x-compressed")
    case .address(let address):
      var order: ValueObject = ["location": .string(address)]
      order["sha1"] = digest.map { .string($0) }
      return .json(.object(order))
    }
  }
}

/// A release that is to be on the server.
struct WantedRelease {
  var source: ArtifactSource
  /// Known for what is in a file; of an address only what the caller says.
  var name: String?
  var version: String?
  var digest: String?
  /// Upload it again and store every archive anew.
  var fix = false
  /// Record it as the next dev version.
  var rebase = false

  /// Sends it, or has it fetched, unless it is there already; follows the task to its end.
  func upload(to client: DirectorClient) async throws {
    let manifest = try source.manifest("release") { try ReleaseTarball.manifest(of: $0) }
    if !fix, !rebase, let name = manifest?.name ?? name, let version = manifest?.version ?? version {
      let known = try await client.get("/releases").array ?? []
      let versions = known.first { $0["name"]?.string == name }?["release_versions"]?.array ?? []
      if versions.contains(where: { $0["version"]?.string == version }) {
        Console.remark("Release '\(name)/\(version)' already exists.")
        return
      }
    }
    var query: [String] = []
    if fix { query.append("fix=true") }
    if rebase { query.append("rebase=true") }
    if case .file = source, let digest { query.append("sha1=\(PathText.escape(digest))") }
    let task = try await client.start(
      .post, "/releases?\(query.joined(separator: "&"))", source.body(digest: digest))
    _ = try await TaskFollower(client: client, task: task).printEvents()
  }

  /// The releases of a manifest that say where they are.
  static func of(_ manifest: Value, fix: Bool) throws -> [WantedRelease] {
    try (manifest["releases"]?.array ?? []).compactMap { release in
      guard let url = release["url"]?.string, !url.isEmpty else { return nil }
      return WantedRelease(
        source: try ArtifactSource(url), name: release["name"]?.string, version: release["version"]?.scalarText,
        digest: release["sha1"]?.string, fix: fix)
    }
  }
}
