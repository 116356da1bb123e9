import Connections
import Formats
import Surroundings

extension BlobTransfer {
  /// Tries a transfer up to ``tries`` times, unless trying again cannot help.
  func retrying<Result: Sendable>(
    _ doing: String, _ attempt: () async throws -> Result
  ) async throws -> Result {
    var tried = 1
    while true {
      do {
        return try await attempt()
      } catch let error where !(error is CancellationError) && !Task.isCancelled {
        let error = (error as? DroverError) ?? DroverError(.unavailable, "\(ConnectionFailure(error))")
        if tried < Self.tries, Self.mayPass(error.code) {
          tried += 1
          try await surroundings.sleep(Self.pause)
          continue
        }
        throw DroverError(error.code, tried == 1 ? doing : "\(doing), tried \(tried) times", cause: error)
      }
    }
  }

  /// Whether the same request may succeed later. Bytes may have been damaged on the way, so a wrong digest is no reason to
  /// give up.
  private static func mayPass(_ code: DroverError.Code) -> Bool {
    [.unavailable, .timeout, .corrupt].contains(code)
  }
}
