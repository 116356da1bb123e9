import AsyncHTTPClient
import Formats
import NIOCore
import NIOPosix
import NIOSSL

/// Why a server could not be reached, as people say it.
public struct ConnectionFailure: Sendable, CustomStringConvertible {
  public let description: String
  /// Whether the server is there, and its certificate was not believed.
  public let isDistrust: Bool

  public init(_ error: any Error) {
    isDistrust = Self.isDistrust(error)
    description = Self.text(error)
  }

  private static func isDistrust(_ error: any Error) -> Bool {
    if isForOthers(error) { return true }
    guard case NIOSSLError.handshakeFailed(let inner) = error else { return false }
    return "\(inner)".contains("CERTIFICATE_VERIFY_FAILED")
  }

  private static func isForOthers(_ error: any Error) -> Bool {
    (error as? NIOSSLExtraError) == .failedToValidateHostname
  }

  private static func text(_ error: any Error) -> String {
    switch error {
    case is NIOSSLExtraError where isForOthers(error): return "its certificate is for other names"
    case NIOSSLError.handshakeFailed where isDistrust(error): return "its certificate is from an unknown authority"
    case NIOSSLError.handshakeFailed(let inner):
      return "it does not speak TLS as expected (\(inner))"
    case let error as IOError: return systemErrorText(error.errnoCode)
    case let error as NIOConnectionError:
      if let single = error.connectionErrors.first { return text(single.error) }
      return (error.dnsAError ?? error.dnsAAAAError) == nil ? "\(error)" : "there is no host '\(error.host)'"
    case let error as HTTPClientError: return words(error)
    default: return "\(error)"
    }
  }

  private static func words(_ error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout: "nobody answered in time"
    case .deadlineExceeded, .readTimeout: "no answer came in time"
    case .remoteConnectionClosed: "the connection was closed before the answer"
    default: "\(error)"
    }
  }
}
