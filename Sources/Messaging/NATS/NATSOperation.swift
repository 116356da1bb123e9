import Formats

/// What a server says.
enum NATSOperation: Sendable, Equatable {
  case info(NATSServerInfo)
  case message(subscription: Int, BusMessage)
  case ping
  case pong
  case ok
  case error(String)
}

/// What a server tells of itself in INFO, as far as a client needs it.
struct NATSServerInfo: Sendable, Equatable {
  var serverID = ""
  var serverName = ""
  var version = ""
  var maximumPayload = 1_048_576
  var tlsRequired = false
  var tlsAvailable = false
  var supportsHeaders = false
  /// Other servers of the cluster, each `host:port`.
  var connectURLs: [String] = []

  init() {}

  init(json: [UInt8]) throws(DroverError) {
    let value: Value
    do { value = try JSON.parse(json) } catch {
      throw DroverError(.corrupt, "NATS: the server's INFO is not JSON", cause: error)
    }
    guard value.object != nil else {
      throw DroverError(.corrupt, "NATS: the server's INFO is a \(value.kindName), not an object")
    }
    serverID = value["server_id"]?.string ?? ""
    serverName = value["server_name"]?.string ?? ""
    version = value["version"]?.string ?? ""
    if let limit = value["max_payload"]?.int, limit > 0 { maximumPayload = limit }
    tlsRequired = value["tls_required"]?.bool ?? false
    tlsAvailable = value["tls_available"]?.bool ?? false
    supportsHeaders = value["headers"]?.bool ?? false
    connectURLs = value["connect_urls"]?.array?.compactMap { $0.string } ?? []
  }
}
