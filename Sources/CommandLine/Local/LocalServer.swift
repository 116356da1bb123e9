import Files
import Formats
import Glibc
import Processes

/// The server of this machine, known by its state directory; only root can read what is in there.
struct LocalServer: Sendable {
  let state: String

  var caPath: String { "\(state)/certificates/ca.crt" }
  var pidPath: String { "\(state)/droverd.pid" }
  var logPath: String { "\(state)/droverd.log" }
  /// `HOST:PORT` of the API, written when the server is started.
  var addressPath: String { "\(state)/address" }

  /// `HOST:PORT` of its pools; nil when it has none, does not run, or is not for this user, who may have others.
  func poolsAddress() throws -> String? {
    do {
      guard try Pidfile(pidPath).process() != nil else { return nil }
      return try Files.text("\(state)/pools-address")?.trimmingBlanks()
    } catch let error as DroverError where error.code == .forbidden {
      return nil
    }
  }

  func target() throws -> TargetEnvironment {
    guard let address = try address() else {
      throw DroverError(
        .notFound,
        "there is no server in \(state): start one with 'drover up', or name another one with --environment")
    }
    let users = try TextFile.read("\(state)/users").split(separator: "\n").map(String.init)
    guard let first = users.first, let separator = first.firstIndex(of: ":") else {
      throw DroverError(.corrupt, "\(state)/users: expected a line NAME:PASSWORD")
    }
    return TargetEnvironment(
      url: "https://\(address.trimmingBlanks())", user: String(first[..<separator]),
      password: Secret(String(first[first.index(after: separator)...])), caPEM: try TextFile.read(caPath),
      localServer: self)
  }
}

extension LocalServer {
  private func address() throws -> String? {
    do {
      return try Files.text(addressPath)
    } catch let error as DroverError where error.code == .forbidden {
      throw notForThisUser(error)
    }
  }

  func notForThisUser(_ error: DroverError) -> DroverError {
    DroverError(
      .forbidden,
      "the server in \(state) is not for this user (\(error)): be root, or name another one with --environment")
  }
}

extension LocalServer {
  /// What a folder has that is to be a server's.
  enum Contents: Sendable, Hashable {
    /// It is not there, or empty.
    case nothing
    case server
    /// Something that no server has put there.
    case others
  }

  /// Names of which one is enough: nobody else calls files so.
  private static let marks: Set<String> = ["documents.sqlite", "pools.sqlite", "droverd.pid", "droverd.log"]
  /// What else there may be, so that a removal that was cut short can be ended.
  private static let parts: Set<String> = [
    "address", "blobs", "certificates", "cloud", "flags", "journals", "lock", "name", "nats", "pools-address",
    "seal.key", "users", "work",
  ]

  /// Looked at before anything is removed: a mistyped state directory must not cost somebody's files.
  func contents() throws -> Contents {
    let names: [String]
    do {
      names = try Files.names(in: state)
    } catch let error as DroverError where error.code == .forbidden {
      throw notForThisUser(error)
    }
    guard !names.isEmpty else { return .nothing }
    if names.contains(where: Self.marks.contains) { return .server }
    let isPart = { (name: String) in
      Self.parts.contains(name) || Self.marks.contains { name.hasPrefix($0) }
    }
    return names.allSatisfy(isPart) ? .server : .others
  }
}

extension String {
  func trimmingBlanks() -> String {
    var text = Substring(self)
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
