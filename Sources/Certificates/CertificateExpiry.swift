public import Formats
import FoundationEssentials
public import Surroundings
import SwiftASN1
import X509

/// When a certificate ends.
public struct CertificateExpiry: Sendable, Hashable {
  public var path: String
  public var expiry: Timestamp
  /// Whole days until then, negative afterwards.
  public var daysLeft: Int

  public init(path: String, expiry: Timestamp, daysLeft: Int) {
    self.path = path
    self.expiry = expiry
    self.daysLeft = daysLeft
  }

  /// Of the first certificate in a PEM text.
  /// - Throws: `DroverError` (`corrupt`) if it is none.
  public init(path: String, pem: String, now: Timestamp) throws(DroverError) {
    do {
      guard let first = try PEMDocument.parseMultiple(pemString: pem).first else {
        throw DroverError(.corrupt, "it holds no PEM block")
      }
      let end = Timestamp(seconds: Int(try Certificate(pemDocument: first).notValidAfter.timeIntervalSince1970))
      let seconds = end.seconds - now.seconds
      self.init(path: path, expiry: end, daysLeft: seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400))
    } catch {
      throw DroverError(.corrupt, "reading the certificate \(path)", cause: error)
    }
  }
}
