import AgentProtocol
import Digests
import Formats

/// The blobstore that the settings name, as far as a client needs to know it (reference/agent.md 16).
enum BlobProvider: Sendable, Hashable {
  /// A folder of this machine with a file for each blob.
  case local(folder: String)
  case dav(DAVBlobstore)
  /// Any other name: there is a program for it.
  case external(ExternalBlobstore)

  /// - Throws: `DroverError` with code `invalid` that names the option, `notFound` without a blobstore, `unsupported` for
  ///   one that keeps nothing.
  init(_ settings: BlobstoreSettings?, layout: VMLayout) throws {
    guard let settings, !settings.provider.isEmpty else {
      throw DroverError(.notFound, "the settings name no blobstore; give one, or send signed URLs")
    }
    switch settings.provider {
    case "local":
      guard let path = settings.options["blobstore_path"]?.string, path.hasPrefix("/") else {
        throw DroverError(.invalid, "blobstore.options.blobstore_path: expected an absolute path")
      }
      // create-env's blobs come by the agent's own door, which keeps them there.
      self = .local(folder: path == "\(layout.base)/micro_bosh/data/cache" ? layout.blobs : path)
    case "dav", "davcli": self = .dav(try DAVBlobstore(settings.options))
    case "dummy":
      throw DroverError(.unsupported, "blobstore provider 'dummy' keeps nothing; use another one, or signed URLs")
    default:
      self = .external(
        ExternalBlobstore(
          provider: try SafeName.component(settings.provider, "blobstore provider"), options: settings.options,
          layout: layout))
    }
  }
}

/// A DAV server with basic authentication: `ENDPOINT/<first two hex digits of the id's SHA-1>/<id>`, as on slide 28.
struct DAVBlobstore: Sendable, Hashable {
  /// Without a slash at its end.
  let endpoint: String
  let headers: [String: String]

  init(_ options: ValueObject) throws {
    guard var endpoint = options["endpoint"]?.string, endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://")
    else { throw DroverError(.invalid, "blobstore.options.endpoint: expected an http or https URL") }
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    self.endpoint = endpoint
    guard let user = options["user"]?.string, !user.isEmpty else {
      headers = [:]
      return
    }
    let password = options["password"]?.scalarText ?? ""
    headers = ["Authorization": "Basic \(Base64.encode("\(user):\(password)".utf8))"]
  }

  func url(_ id: String) -> String { "\(endpoint)/\(DigestHasher.hex(.sha1, id).prefix(2))/\(id)" }
}
