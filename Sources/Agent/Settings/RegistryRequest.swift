import AgentProtocol
import HTTPService

/// How a registry is asked for a machine's settings.
enum RegistryRequest {
  /// User and password of the endpoint go into a field, where logs and proxies do not show them.
  static func make(endpoint: String, instanceID: String) throws -> (url: String, headers: [String: String]) {
    let endpoint = try EndpointURL(endpoint)
    let headers = endpoint.credentials.map { ["Authorization": $0.header] } ?? [:]
    return (endpoint.description + RegistrySettings.path(instanceID: instanceID), headers)
  }
}
