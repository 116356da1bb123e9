import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Where a server keeps what it keeps: everything is below one directory.
struct StateFiles: Sendable {
  let directory: String

  var documents: String { "\(directory)/documents.sqlite" }
  var pools: String { "\(directory)/pools.sqlite" }
  var journals: String { "\(directory)/journals" }
  var blobs: String { "\(directory)/blobs" }
  var cloud: String { "\(directory)/cloud" }
  var nats: String { "\(directory)/nats" }
  var certificates: String { "\(directory)/certificates" }
  var work: String { "\(directory)/work" }
  /// The keys that secrets in the documents are sealed with, unless they are elsewhere.
  var sealKey: String { "\(directory)/seal.key" }
  /// Users and passwords that were made at first start, `NAME:PASSWORD` a line, for root to read.
  var passwords: String { "\(directory)/users" }

  /// Whose process this server is, for those who stop it.
  var pidfile: String { "\(directory)/droverd.pid" }
  /// The server's name, for those who clean up after it.
  var name: String { "\(directory)/name" }
  /// `HOST:PORT` of the API, once it listens.
  var address: String { "\(directory)/address" }

  /// `HOST:PORT` of the pools' API, when there are pools.
  var poolsAddress: String { "\(directory)/pools-address" }

  func prepare() throws {
    for folder in [directory, certificates, work, cloud, nats] {
      if mkdir(folder, 0o700) != 0, errno != EEXIST {
        throw systemError("making the state directory \(folder)")
      }
    }
  }

  /// Only one server at a time works in a state directory.
  func lock() async throws -> LockFile {
    let path = "\(directory)/lock"
    if let lock = try await blocking({ try LockFile.tryAcquireForLife(path) }) { return lock }
    throw DroverError(
      .conflict, "another droverd is working in \(directory); stop it first, or use another state directory")
  }

  /// The users of the API: those that are configured, or else `admin` with a password that is made once.
  func users(_ configured: [String: String], _ surroundings: Surroundings) throws -> [String: String] {
    guard configured.isEmpty else {
      // Commands on this machine look here for a user that they may be.
      let lines = configured.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)\n" }
      try Files.replace(passwords, with: lines.joined())
      return configured
    }
    // One that cannot be read is not replaced: people know what is in it.
    if let text = try Files.text(passwords) {
      var users: [String: String] = [:]
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2 { users[parts[0]] = parts[1] }
      }
      guard users.isEmpty else { return users }
    }
    let password = Base64.encode(surroundings.randomBytes(24), .url)
    try Files.replace(passwords, with: "admin:\(password)\n")
    return ["admin": password]
  }
}
