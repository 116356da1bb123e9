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
      password: Secret(String(first[first.index(after: separator)...])), caPEM: try TextFile.read(caPath))
  }
}

extension LocalServer {
  private func address() throws -> String? {
    do {
      return try Files.text(addressPath)
    } catch let error as DroverError where error.code == .forbidden {
      throw DroverError(
        .forbidden,
        "the server in \(state) is not for this user (\(error)): be root, or name another one with --environment")
    }
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
