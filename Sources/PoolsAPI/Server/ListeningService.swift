import Formats
import NIOCore
public import ServiceLifecycle

/// A service that listens; when it cannot, its error says where and for what.
public struct ListeningService: Service {
  private let inner: any Service
  private let place: String

  /// - Parameter purpose: what it is there for: `the API`.
  public init(_ inner: some Service, _ purpose: String, address: String, port: Int) {
    self.inner = inner
    place = "\(address):\(port) for \(purpose)"
  }

  public func run() async throws {
    do {
      try await inner.run()
    } catch let error as IOError {
      throw DroverError(
        .unavailable,
        "listening on \(place): \(systemErrorText(error.errnoCode)); give another address or port, or stop who has it")
    }
  }
}
