import Files
import Formats
import Glibc
public import Logging
import ServiceLifecycle
public import Surroundings

/// The server's log as a file that does not grow for ever. Standard output and standard error go there, so that it has all
/// that this process says, also what no logger says.
public struct ServerLog: Sendable {
  let rotation: LogRotation
  /// Those that lead to the file.
  let descriptors: [Int32]
  let surroundings: Surroundings

  init(_ rotation: LogRotation, descriptors: [Int32] = [1, 2], surroundings: Surroundings) {
    self.rotation = rotation
    self.descriptors = descriptors
    self.surroundings = surroundings
  }

  /// The log that the configuration names; nil when it goes to standard error, which is somebody else's.
  public init?(_ configuration: ServerConfiguration, surroundings: Surroundings) {
    guard let path = configuration.logFile else { return nil }
    self.init(
      LogRotation(path: path, size: configuration.logSize, keep: configuration.logKeep), surroundings: surroundings)
  }

  /// Opens the file. From here on SIGHUP does nothing: that the file was renamed is found out without it.
  public func begin() throws {
    try reopen()
    // No child inherits a handler, as it would that the signal is ignored.
    signal(SIGHUP) { _ in }
  }

  /// Looks after the file until the task is cancelled.
  public func run(_ logger: Logger) async {
    var isFailing = false
    while (try? await surroundings.sleep(.seconds(1))) != nil {
      do {
        try look()
        isFailing = false
      } catch {
        if !isFailing { logger.warning("the log cannot be rotated", metadata: ["error": "\(error)"]) }
        isFailing = true
      }
    }
  }

  /// Renames it when it is large, and opens it when it is another.
  func look() throws {
    let open = descriptors.first.flatMap { FileIdentity(descriptor: $0) }
    switch rotation.finding(open: open, current: try FileIdentity(rotation.path)) {
    case .fine: return
    case .full: try rotation.rotate()
    case .gone: break
    }
    try reopen()
  }

  /// Every line that is written meanwhile goes to the old file or to the new one.
  private func reopen() throws {
    let file = try OpenFile(appending: rotation.path, mode: 0o600)
    for descriptor in descriptors where dup2(file.descriptor, descriptor) < 0 {
      throw systemError("writing to the log '\(rotation.path)'")
    }
  }
}
