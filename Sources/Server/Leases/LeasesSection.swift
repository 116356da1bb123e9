import Configuration
import Formats
import GoConventions
import PoolsClient
import PoolsProtocol

/// The pools elsewhere that errands lease from, as the configuration's section `leases` describes them.
struct LeasesSection: Sendable, Hashable {
  /// Scheme, host and port.
  var url: String
  var user: String
  var passwordFile: String
  /// After how much silence leases are taken back there.
  var expiry: Duration

  /// - Returns: nil when errands lease from the server's own pools.
  init?(_ reader: ConfigReader) throws {
    guard let url = reader.string(forKey: "leases.url"), !url.isEmpty else { return nil }
    self.url = url
    user = reader.string(forKey: "leases.user", default: "")
    passwordFile = reader.string(forKey: "leases.password_file", default: "")
    do {
      expiry = try reader.string(forKey: "leases.expire").map { try GoDuration.parse($0) } ?? .seconds(1800)
    } catch {
      throw DroverError(.invalid, "configuration leases.expire", cause: error)
    }
    do {
      _ = try PoolsClient(url: url, owner: "drover", username: user, passwordFile: passwordFile)
    } catch {
      throw DroverError(.invalid, "configuration leases", cause: error)
    }
  }
}
