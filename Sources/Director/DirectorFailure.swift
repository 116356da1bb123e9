import Formats

/// An error as the director's API reports it: BOSH's number, the HTTP status, and a sentence (reference/director.md A.1).
public struct DirectorFailure: Error, Sendable, CustomStringConvertible {
  public let number: Int
  /// The HTTP status.
  public let status: Int
  public let description: String

  public init(_ number: Int, status: Int = 400, _ description: String) {
    self.number = number
    self.status = status
    self.description = description
  }

  /// Any error as one that can be reported: what has no number of its own is 100 with status 500, or 40000 with 400 when
  /// the caller's input was at fault.
  public static func describing(_ error: any Error) -> DirectorFailure {
    switch error {
    case let failure as DirectorFailure: failure
    case let error as DroverError where error.number != nil:
      DirectorFailure(error.number ?? 100, status: error.code == .notFound ? 404 : 400, "\(error)")
    case let error as DroverError where error.code == .invalid || error.code == .tooLarge:
      DirectorFailure(40000, "\(error)")
    case let error as DroverError where error.code == .notFound: DirectorFailure(40001, status: 404, "\(error)")
    case let error as DroverError where error.code == .conflict: DirectorFailure(40002, status: 409, "\(error)")
    case is CancellationError: DirectorFailure(100, status: 500, "cancelled")
    default: DirectorFailure(100, status: 500, "\(error)")
    }
  }

  public static func taskNotFound(_ id: String) -> DirectorFailure {
    DirectorFailure(10000, status: 404, "Task \(id) not found")
  }
  public static func releaseNotFound(_ name: String) -> DirectorFailure {
    DirectorFailure(30005, status: 404, "Release '\(name)' doesn't exist")
  }
  public static func releaseVersionNotFound(_ name: String, _ version: String) -> DirectorFailure {
    DirectorFailure(30006, status: 404, "Release version '\(name)/\(version)' doesn't exist")
  }
  public static func stemcellNotFound(_ name: String) -> DirectorFailure {
    DirectorFailure(50003, status: 404, "Stemcell '\(name)' doesn't exist")
  }
  public static func deploymentNotFound(_ name: String) -> DirectorFailure {
    DirectorFailure(70000, status: 404, "Deployment '\(name)' doesn't exist")
  }
  public static func configNotFound(_ text: String) -> DirectorFailure {
    DirectorFailure(440012, status: 404, text)
  }
  public static func agentTimeout(_ text: String) -> DirectorFailure { DirectorFailure(450002, status: 500, text) }
  public static func notRunning(_ text: String) -> DirectorFailure { DirectorFailure(400007, status: 500, text) }
  public static func errand(_ text: String) -> DirectorFailure { DirectorFailure(510000, status: 400, text) }
}
